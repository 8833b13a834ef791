"""Items of secsgem; the jobs of src/groups/hsms_codec.rs.

Arguments: job (decode | encode), passes, bytes in hex. Prints: bytes in all, ns of CPU, ns.
"""
import sys
import time

from secsgem.secs.variables import Dynamic

job, passes, data = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
item = Dynamic([])
item.decode(data)
proof = 0
cpu, wall = time.process_time_ns(), time.perf_counter_ns()
for _ in range(passes):
    proof += Dynamic([]).decode(data) if job == 'decode' else len(item.encode())
print(proof, time.process_time_ns() - cpu, time.perf_counter_ns() - wall)
