return run(0, 0, #KEYS, #ARGV)
