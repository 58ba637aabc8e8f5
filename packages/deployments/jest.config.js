import base from "../../jest.config.base.js";

// Trials mostly wait: three side by side leave two cores room to breathe.
export default { ...base, maxWorkers: 3, testTimeout: 600_000 };
