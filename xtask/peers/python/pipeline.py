"""A pipeline of three components that hands numbers on. Prints their sum, and what it took in nanoseconds."""

import sys
import time

from Axon.Component import component
from Axon.Ipc import producerFinished
from Kamaelia.Chassis.Pipeline import Pipeline

count = int(sys.argv[1])
# So many in each slice of the scheduler: the fastest of 1, 10, 100 and 1000.
BATCH = 100
total = 0


class Source(component):
    def main(self):
        for start in range(0, count, BATCH):
            for number in range(start, min(start + BATCH, count)):
                self.send(number, 'outbox')
            yield 1
        self.send(producerFinished(self), 'signal')
        yield 1


class Stage(component):
    def main(self):
        while True:
            while self.dataReady('inbox'):
                self.take(self.recv('inbox'))
            if self.dataReady('control') and not self.dataReady('inbox'):
                self.send(self.recv('control'), 'signal')
                return
            if not self.anyReady():
                self.pause()
            yield 1


class Increment(Stage):
    def take(self, number):
        self.send(number + 1, 'outbox')


class Sink(Stage):
    def take(self, number):
        global total
        total += number


pipeline = Pipeline(Source(), Increment(), Sink())
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
pipeline.run()
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
print(total, cpu, wall)
