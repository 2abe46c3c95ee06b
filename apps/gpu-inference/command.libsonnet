// What runs one shard.
['python', '-m', 'inference_worker', 'run']
