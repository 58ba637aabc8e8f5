import base from "../../jest.config.base.js";

// Nothing here waits for anything, and all takes as long as the machine needs for it.
export default { ...base, testTimeout: 600_000 };
