-- @include explain
local done, reply = pcall(run, 0, 0, #KEYS, #ARGV)
return done and reply or explain(reply)
