import { withNest } from "../../jest.older.js";

export default withNest(11);
