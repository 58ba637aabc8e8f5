-- For each lock a script takes five keys, in this order, of which the first begins at KEYS[i]:
--
--   KEYS[i]      the lock     string  the holder's token and metadata, with the lease as its ttl
--   KEYS[i + 1]  the grant    string  of the holder, see include/grant.lua; ends with the lock
--   KEYS[i + 2]  the fence    string  the last fencing token of any lock in this hash slot
--   KEYS[i + 3]  the line     zset    ids of the waiters by ticket: when they came, in microseconds
--   KEYS[i + 4]  the waiters  hash    id -> the waiter's record, see include/waiter.lua
--
-- Scripts of shared and counted locks take two more:
--
--   KEYS[i + 5]  the holders  zset    claims of those who share the lock, by the end of their lease in ms
--   KEYS[i + 6]  the shares   hash    claim -> what is known of its holder, see include/phase.lua
--
-- Every script is atomic, takes its time from the server, compares whole values, and may be run
-- twice: clients send again what they got no answer to. None reads text of unbounded length: what is at
-- a lock's key may be anybody's.
local KEYS, ARGV, call = KEYS, ARGV, redis.call
-- No value is longer: 256 bytes of token, 4096 of metadata. One byte more shows that it is none of ours.
local LAST_BYTE = 4352
