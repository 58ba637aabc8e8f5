import { afterEach, expect, test } from "@jest/globals";

import { createQuorumLocker, QuorumLocker } from "../src/quorum.js";
import { closeClients, versions } from "./versions.js";

afterEach(closeClients);

test.each(versions)("servers of $name make a quorum; one alone does not", ({ createClient }) => {
  const servers = [1, 2, 3].map(() => createClient(1));
  expect(createQuorumLocker(servers, { maxTtl: 5_000 })).toBeInstanceOf(QuorumLocker);
  expect(() => createQuorumLocker(servers.slice(0, 1), { maxTtl: 5_000 })).toThrow(RangeError);
});
