"""The scenarios of tests/{resources,preemption,stores}.rs, as SimPy 4.1.2 runs them.

`python resources.py` prints what each one's log is; the Rust tests expect the same, but for the defects of SimPy.
"""

import simpy
from core import run_all


def grants_in_order(env, log):
    r = simpy.Resource(env, 2)
    def uses(name, t):
        with r.request() as q:
            yield q
            log.append(f'{name} at {env.now}')
            yield env.timeout(t)
    for name, t in (('a', 3), ('b', 1), ('c', 1), ('d', 1)):
        env.process(uses(name, t))
    env.run()


def next_is_granted_when_the_release_is_processed(env, log):
    r = simpy.Resource(env)
    def first():
        with r.request() as q:
            yield q
            yield env.timeout(1)
        log.append(f'released, {r.count} use it, {len(r.queue)} wait')
        yield env.timeout(0)
        log.append(f'later, {r.count} use it, {len(r.queue)} wait')
    def second():
        with r.request() as q:
            yield q
            log.append('second')
            yield env.timeout(1)
    def other():
        yield env.timeout(1)
        for n in range(3):
            log.append(f'other {n}')
            yield env.timeout(0)
    env.process(first())
    env.process(second())
    env.process(other())
    env.run()


def no_overtaking_between_release_and_grant(env, log):
    r = simpy.Resource(env)
    def uses(name):
        with r.request() as q:
            yield q
            log.append(f'{name} at {env.now}')
            yield env.timeout(1)
    def greedy():
        for n in range(2):
            with r.request() as q:
                yield q
                log.append(f'greedy at {env.now}')
                yield env.timeout(1)
    env.process(greedy())
    env.process(uses('a'))
    env.process(uses('b'))
    env.run()


def renege(env, log):
    r = simpy.Resource(env)
    def holds():
        with r.request() as q:
            yield q
            yield env.timeout(5)
    def impatient(name, patience):
        with r.request() as q:
            got = yield q | env.timeout(patience)
            log.append(f'{name} {"served" if q in got else "reneged"} at {env.now}')
    env.process(holds())
    for name, patience in (('a', 2), ('b', 9), ('c', 5)):
        env.process(impatient(name, patience))
    env.run()
    log.append(f'{r.count} use it, {len(r.queue)} wait')


def interrupted_while_waiting(env, log):
    r = simpy.Resource(env)
    def holds():
        with r.request() as q:
            yield q
            yield env.timeout(3)
    def waits(name):
        with r.request() as q:
            try:
                yield q
                log.append(f'{name} at {env.now}')
            except simpy.Interrupt:
                log.append(f'{name} interrupted at {env.now}')
    env.process(holds())
    victim = env.process(waits('a'))
    env.process(waits('b'))
    def interrupts():
        yield env.timeout(1)
        victim.interrupt()
    env.process(interrupts())
    env.run()


def interrupt_beats_a_grant(env, log):
    """Granted, but not processed yet: the interrupt comes first, and the next one gets the place."""
    r = simpy.Resource(env)
    def waits(name):
        with r.request() as q:
            try:
                yield q
                log.append(f'{name} at {env.now}')
            except simpy.Interrupt:
                log.append(f'{name} interrupted at {env.now}')
    def interrupts():
        q = r.request()
        yield q
        victim = env.process(waits('a'))
        env.process(waits('b'))
        yield env.timeout(1)
        r.release(q)
        yield env.timeout(0)
        victim.interrupt()
    env.process(interrupts())
    env.run()


def priorities(env, log):
    r = simpy.PriorityResource(env)
    def uses(name, start, priority):
        yield env.timeout(start)
        with r.request(priority) as q:
            yield q
            log.append(f'{name} at {env.now}')
            yield env.timeout(3)
    for name, start, priority in (('a', 0, 5), ('b', 1, 2), ('c', 1, 1), ('d', 2, 2), ('e', 2, 0), ('f', 2, 2)):
        env.process(uses(name, start, priority))
    env.run()


def preemption(env, log):
    r = simpy.PreemptiveResource(env)
    def uses(name, start, priority, preempt):
        yield env.timeout(start)
        with r.request(priority, preempt) as q:
            yield q
            log.append(f'{name} at {env.now}')
            try:
                yield env.timeout(3)
                log.append(f'{name} done at {env.now}')
            except simpy.Interrupt as i:
                log.append(f'{name} preempted at {env.now} since {i.cause.usage_since}')
    for name, start, priority, preempt in (('a', 0, 1, True), ('b', 1, 0, True), ('c', 2, -1, False), ('d', 2, 1, True)):
        env.process(uses(name, start, priority, preempt))
    env.run()


def patient_head_holds_back(env, log):
    r = simpy.PreemptiveResource(env)
    def uses(name, start, priority, preempt):
        yield env.timeout(start)
        with r.request(priority, preempt) as q:
            yield q
            log.append(f'{name} at {env.now}')
            try:
                yield env.timeout(9)
            except simpy.Interrupt:
                log.append(f'{name} preempted at {env.now}')
    for name, start, priority, preempt in (('a', 0, 5, True), ('b', 1, 1, False), ('c', 2, 2, True), ('d', 3, 0, True)):
        env.process(uses(name, start, priority, preempt))
    env.run()


def greatest_key_loses(env, log):
    r = simpy.PreemptiveResource(env, 3)
    def uses(name, start, priority):
        yield env.timeout(start)
        with r.request(priority) as q:
            yield q
            try:
                yield env.timeout(20)
            except simpy.Interrupt:
                log.append(f'{name} preempted at {env.now}')
    for name, start, priority in (('a', 0, 2), ('b', 1, 2), ('c', 2, 1), ('d', 3, 2), ('e', 4, 0), ('f', 5, 1), ('g', 6, 0)):
        env.process(uses(name, start, priority))
    env.run(until=15)


def preempted_comes_back(env, log):
    r = simpy.PreemptiveResource(env)
    def works():
        left = 5
        while left:
            with r.request(priority=2) as q:
                yield q
                start = env.now
                try:
                    yield env.timeout(left)
                    left = 0
                except simpy.Interrupt:
                    left -= env.now - start
                    log.append(f'{left} left at {env.now}')
        log.append(f'done at {env.now}')
    def breaks():
        for _ in range(2):
            yield env.timeout(2)
            with r.request(priority=1) as q:
                yield q
                yield env.timeout(1)
    env.process(works())
    env.process(breaks())
    env.run()


def container(env, log):
    c = simpy.Container(env, capacity=10, init=2)
    def get(name, start, amount):
        yield env.timeout(start)
        yield c.get(amount)
        log.append(f'{name} got at {env.now}, level {c.level}')
    def put(name, start, amount):
        yield env.timeout(start)
        yield c.put(amount)
        log.append(f'{name} put at {env.now}, level {c.level}')
    env.process(get('a', 0, 5))
    env.process(get('b', 1, 1))
    env.process(put('c', 2, 2))
    env.process(put('d', 3, 4))
    env.process(put('e', 4, 9))
    env.process(put('f', 5, 1))
    env.process(get('g', 6, 1))
    env.run()


def store(env, log):
    s = simpy.Store(env, capacity=2)
    def producer():
        for n in range(5):
            yield s.put(n)
            log.append(f'put {n} at {env.now}')
    def consumer(name):
        while True:
            yield env.timeout(2)
            n = yield s.get()
            log.append(f'{name} got {n} at {env.now}')
    env.process(consumer('a'))
    env.process(producer())
    env.process(consumer('b'))
    env.run(until=9)


def store_ping_pong(env, log):
    a, b = simpy.Store(env), simpy.Store(env)
    def one():
        for n in range(3):
            yield a.put(n)
            log.append(f'back {(yield b.get())}')
    def two():
        while True:
            n = yield a.get()
            log.append(f'there {n}')
            yield b.put(n)
    def other():
        for n in range(6):
            log.append(str(n))
            yield env.timeout(0)
    env.process(one())
    env.process(two())
    env.process(other())
    env.run()


def filter_store(env, log):
    s = simpy.FilterStore(env)
    def get(name, wanted):
        n = yield s.get(lambda n: n == wanted)
        log.append(f'{name} got {n} at {env.now}')
    def put():
        for n in (2, 3, 1):
            yield env.timeout(1)
            yield s.put(n)
            log.append(f'put {n}')
    env.process(get('a', 1))
    env.process(get('b', 2))
    env.process(get('c', 3))
    env.process(put())
    env.run()


def priority_store(env, log):
    s = simpy.PriorityStore(env)
    def put():
        for n in (3, 1, 2):
            yield s.put(n)
    def get():
        yield env.timeout(1)
        for _ in range(3):
            log.append(str((yield s.get())))
    env.process(put())
    env.process(get())
    env.run()


def store_defect_s1(env, log):
    s = simpy.Store(env)
    def gets(name):
        try:
            log.append(f'{name} got {(yield s.get())}')
        except simpy.Interrupt:
            log.append(f'{name} interrupted')
    victim = env.process(gets('a'))
    env.process(gets('b'))
    def puts():
        yield env.timeout(1)
        yield s.put('x')
        victim.interrupt()
        yield env.timeout(1)
        log.append(f'{len(s.items)} left')
    env.process(puts())
    env.run()


def store_defect_s2(env, log):
    c = simpy.Container(env, init=1)
    def gets(name, amount, patience):
        with c.get(amount) as q:
            got = yield q | env.timeout(patience)
            log.append(f'{name} {"got" if q in got else "gave up"} at {env.now}')
    env.process(gets('big', 5, 2))
    env.process(gets('small', 1, 9))
    env.run()


def store_defect_s3(env, log):
    s = simpy.PriorityStore(env)
    for n in range(8):
        s.put(simpy.PriorityItem(0, n))
    def gets():
        for _ in range(8):
            log.append(str((yield s.get()).item))
    env.process(gets())
    env.run()


def preemption_defect_s4(env, log):
    r = simpy.PreemptiveResource(env)
    def ends():
        yield r.request(priority=1)
    def asks():
        yield env.timeout(1)
        try:
            yield r.request(priority=0)
            log.append('taken')
        except RuntimeError as e:
            log.append('RuntimeError')
    env.process(ends())
    env.process(asks())
    env.run()


def granted_at_once(env, log):
    """A free place is granted by the request itself, and given in its turn; a cancelled grant stays granted."""
    r = simpy.Resource(env)
    first, second = r.request(), r.request()
    log.append(f'first {first.triggered} second {second.triggered}')
    log.append(f'{r.count} use it, {len(r.queue)} wait')
    second.cancel()
    log.append(f'{r.count} use it, {len(r.queue)} wait')
    r.release(first)
    log.append(f'{r.count} use it, {len(r.queue)} wait')


def release_of_the_preempted(env, log):
    """Who was preempted releases nothing that is not its own any more."""
    r = simpy.PreemptiveResource(env)
    def low():
        with r.request(priority=1) as q:
            yield q
            try:
                yield env.timeout(9)
            except simpy.Interrupt:
                log.append(f'preempted at {env.now}')
        yield env.timeout(0)
        log.append(f'{r.count} use it')
    def high():
        yield env.timeout(1)
        with r.request(priority=0) as q:
            yield q
            log.append(f'high at {env.now}')
            yield env.timeout(2)
    def next():
        yield env.timeout(2)
        with r.request(priority=2) as q:
            yield q
            log.append(f'next at {env.now}')
    for p in (low, high, next):
        env.process(p())
    env.run()


def who_preempts_comes_first(env, log):
    """Among equal priorities of one instant those that preempt come first; earlier requests before both."""
    r = simpy.PreemptiveResource(env)
    def holds():
        with r.request(priority=-1) as q:
            yield q
            yield env.timeout(3)
    def uses(name, start, preempt):
        yield env.timeout(start)
        with r.request(priority=1, preempt=preempt) as q:
            yield q
            log.append(f'{name} at {env.now}')
            yield env.timeout(1)
    env.process(holds())
    for name, start, preempt in (('a', 2, False), ('b', 2, True), ('c', 1, False), ('d', 1, True), ('e', 2, True)):
        env.process(uses(name, start, preempt))
    env.run()


def equal_keys_do_not_preempt(env, log):
    r = simpy.PreemptiveResource(env)
    def uses(name, start):
        yield env.timeout(start)
        with r.request(priority=1) as q:
            yield q
            log.append(f'{name} at {env.now}')
            try:
                yield env.timeout(2)
            except simpy.Interrupt:
                log.append(f'{name} preempted at {env.now}')
    for name, start in (('a', 0), ('b', 0), ('c', 1)):
        env.process(uses(name, start))
    env.run()


def preempted_while_waiting_elsewhere(env, log):
    """The interrupt reaches its process wherever it waits; a second place is not touched."""
    one, two = simpy.PreemptiveResource(env), simpy.PreemptiveResource(env)
    def low():
        with one.request(priority=1) as a, two.request(priority=1) as b:
            yield a & b
            try:
                yield env.timeout(9)
            except simpy.Interrupt as i:
                log.append(f'lost {"one" if i.cause.resource is one else "two"} since {i.cause.usage_since}')
            log.append(f'{one.count} {two.count} at {env.now}')
            yield env.timeout(5)
    def high():
        yield env.timeout(2)
        with two.request(priority=0) as q:
            yield q
            log.append(f'high at {env.now}')
            yield env.timeout(1)
    env.process(low())
    env.process(high())
    env.run()


def full_stores(env, log):
    """FilterStore and PriorityStore have a capacity too."""
    for kind in (simpy.FilterStore, simpy.PriorityStore):
        s = kind(env, capacity=2)
        def puts():
            for n in (3, 1, 2):
                yield s.put(n)
                log.append(f'put {n} at {env.now}')
        def gets():
            yield env.timeout(1)
            log.append(f'got {(yield s.get())}')
        env.process(puts())
        env.process(gets())
        env.run()


def priority_items(env, log):
    """Only the priority is compared."""
    s = simpy.PriorityStore(env)
    for priority, item in ((2, 'b'), (1, 'z'), (3, 'a')):
        s.put(simpy.PriorityItem(priority, item))
    def gets():
        for _ in range(3):
            log.append((yield s.get()).item)
    env.process(gets())
    env.run()


def gets_wait_in_order(env, log):
    """Stores serve those who wait first come, first served."""
    s = simpy.Store(env)
    def gets(name):
        log.append(f'{name} got {(yield s.get())}')
    for name in 'abc':
        env.process(gets(name))
    def puts():
        yield env.timeout(1)
        for n in range(3):
            s.put(n)
        log.append('three are put')
    env.process(puts())
    env.run()


def container_at_once(env, log):
    """What is there is granted at once, by the call itself."""
    c = simpy.Container(env, capacity=4, init=3)
    first, second, third = c.get(2), c.get(2), c.put(1)
    log.append(f'{first.triggered} {second.triggered} {third.triggered} level {c.level}')
    env.run()
    log.append(f'{second.triggered} level {c.level}')


if __name__ == '__main__':
    run_all(globals())
