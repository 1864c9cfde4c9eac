"""What `run` is made of: the plan, the processes, the laws of throughput, the table."""
