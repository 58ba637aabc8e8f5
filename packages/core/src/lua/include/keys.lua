-- For each lock a script takes four keys, in this order, of which the first begins at KEYS[i]:
--
--   KEYS[i]      the lock     string  the holder's token and metadata, with the lease as its ttl
--   KEYS[i + 1]  the fence    string  `<fencing token>:<token>[ <call>]` of the last grant
--   KEYS[i + 2]  the line     zset    ids of the waiters by ticket: when they came, in microseconds
--   KEYS[i + 3]  the waiters  hash    id -> the waiter's record, see include/waiter.lua
--
-- Every script is atomic, takes its time from the server, compares whole values, and may be run
-- twice: clients send again what they got no answer to.
local KEYS, ARGV, call = KEYS, ARGV, redis.call
-- Milliseconds for which the last fencing token is remembered: longer than clocks are set back.
local A_DAY = 86400000
