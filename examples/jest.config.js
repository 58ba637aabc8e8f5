import base from "../jest.config.base.js";

// Each example is a process of its own, and some start others, of which a busy machine makes it wait.
export default { ...base, testTimeout: 120_000 };
