"""The scenarios of tests/{order,events,processes,interrupts,conditions,failures,run_until}.rs, as SimPy 4.1.2 runs them.

`python core.py` prints what each one's log is; the Rust tests expect the same.
"""

import simpy


def same_instant(env, log):
    """Things of one instant happen in the order in which they were scheduled; starts are urgent."""
    def waits(name, first, then):
        log.append(f'{name} starts')
        yield env.timeout(first)
        yield env.timeout(then)
        log.append(f'{name} at {env.now}')
    env.process(waits('a', 2, 1))
    env.process(waits('b', 1, 2))
    env.process(waits('c', 0, 3))
    env.run()


def made_not_awaited(env, log):
    """A timeout's place is decided where it is made."""
    def first():
        t = env.timeout(2)
        yield env.timeout(1)
        yield t
        log.append('first')
    def second():
        yield env.timeout(1)
        yield env.timeout(1)
        log.append('second')
    def third():
        yield env.timeout(2)
        log.append('third')
    env.process(second())
    env.process(first())
    env.process(third())
    env.run()


def urgent_first(env, log):
    """A process that starts comes before what is due at the same instant."""
    def child():
        log.append('child')
        yield env.timeout(0)
        log.append('child again')
    def parent():
        yield env.timeout(1)
        env.process(child())
        log.append('parent')
        yield env.timeout(0)
        log.append('parent again')
    def other():
        yield env.timeout(1)
        log.append('other')
        yield env.timeout(0)
        log.append('other again')
    env.process(parent())
    env.process(other())
    env.run()


def waiters_in_order(env, log):
    """Callbacks and waiting processes in the order in which they came."""
    event = env.event()
    def waits(name):
        value = yield event
        log.append(f'{name} {value}')
    env.process(waits('a'))
    def register():
        yield env.timeout(0)
        event.callbacks.append(lambda e: log.append('callback'))
        env.process(waits('b'))
        yield env.timeout(1)
        event.succeed(7)
        log.append(f'triggered {event.triggered} processed {event.processed}')
        yield env.timeout(0)
        log.append(f'triggered {event.triggered} processed {event.processed}')
    env.process(register())
    env.run()


def processed_goes_on_at_once(env, log):
    """A processed event lets go on in the same step; a triggered one does not."""
    done = env.event()
    done.succeed('done')
    def waits():
        yield env.timeout(1)
        t = env.event().succeed('t')
        log.append((yield done))
        log.append((yield t))
    def other():
        yield env.timeout(1)
        log.append('other')
    env.process(waits())
    env.process(other())
    env.run()


def twice(env, log):
    event = env.event()
    event.succeed(1)
    for again in (event.succeed, lambda: event.fail(ValueError())):
        try:
            again()
        except RuntimeError:
            log.append('refused')


def joins(env, log):
    """A process is an event; its end is scheduled after what was scheduled before."""
    def child():
        yield env.timeout(3)
        log.append('child ends')
        return 5
    def parent():
        c = env.process(child())
        log.append(f'alive {c.is_alive}')
        log.append(f'{(yield c)} at {env.now} alive {c.is_alive}')
        log.append(f'again {(yield c)}')
    def other():
        yield env.timeout(3)
        log.append('other')
    env.process(parent())
    env.process(other())
    env.run()


def failure_to_the_joiner(env, log):
    def child():
        yield env.timeout(1)
        raise ValueError('broken')
    def parent():
        try:
            yield env.process(child())
        except ValueError as e:
            log.append(f'{e} at {env.now}')
    env.process(parent())
    env.run()


def failure_of_nobody(env, log):
    def child():
        yield env.timeout(1)
        raise ValueError('broken')
    def other():
        yield env.timeout(1)
        log.append('other')
        yield env.timeout(1)
        log.append('never in the first run')
    env.process(child())
    env.process(other())
    try:
        env.run()
    except ValueError as e:
        log.append(f'stopped by {e} at {env.now}')
    env.run()


def interrupt_beats_timeout(env, log):
    """An interrupt comes before a timeout of the same instant that is not processed yet."""
    def sleeper():
        try:
            yield env.timeout(2)
            log.append('slept')
        except simpy.Interrupt as i:
            log.append(f'{i.cause} at {env.now}')
    def waker(victims):
        yield env.timeout(2)
        for v in victims:
            v.interrupt('up')
        log.append('called')
    victims = []
    env.process(waker(victims))
    victims.append(env.process(sleeper()))
    env.run()


def interrupt_too_late(env, log):
    def sleeper():
        try:
            yield env.timeout(2)
            log.append('slept')
            yield env.timeout(1)
        except simpy.Interrupt as i:
            log.append(f'{i.cause} at {env.now}')
    def waker(victim):
        yield env.timeout(2)
        victim.interrupt('up')
        log.append('called')
    env.process(waker(env.process(sleeper())))
    env.run()


def interrupt_just_created(env, log):
    def child():
        log.append('child starts')
        try:
            yield env.timeout(5)
        except simpy.Interrupt as i:
            log.append(f'child {i.cause} at {env.now}')
    def parent():
        yield env.timeout(1)
        env.process(child()).interrupt('early')
        log.append('parent')
        yield env.timeout(0)
    env.process(parent())
    env.run()


def interrupts_in_order(env, log):
    """Several arrive in order; those that are left when it ends are ignored."""
    def sleeper():
        for _ in range(2):
            try:
                yield env.timeout(10)
            except simpy.Interrupt as i:
                log.append(f'{i.cause} at {env.now}')
    def waker(victim):
        yield env.timeout(1)
        for n in range(3):
            victim.interrupt(n)
    victim = env.process(sleeper())
    env.process(waker(victim))
    env.run(until=victim)
    log.append(f'ended at {env.now}')


def target_stays_valid(env, log):
    def sleeper():
        t = env.timeout(5)
        while True:
            try:
                yield t
                break
            except simpy.Interrupt as i:
                log.append(f'{i.cause} at {env.now}')
        log.append(f'slept till {env.now}')
    def waker(victim):
        for n in range(2):
            yield env.timeout(1)
            victim.interrupt(n)
    env.process(waker(env.process(sleeper())))
    env.run()


def interrupt_refused(env, log):
    def quick():
        yield env.timeout(0)
    dead = env.process(quick())
    def tries():
        yield env.timeout(1)
        for victim in (dead, env.active_process):
            try:
                victim.interrupt()
            except RuntimeError:
                log.append('refused')
    env.process(tries())
    env.run()


def interrupt_unhandled(env, log):
    def sleeper():
        yield env.timeout(5)
    def joins(p):
        try:
            yield p
        except simpy.Interrupt as i:
            log.append(f'joiner hears of {i.cause} at {env.now}')
    s = env.process(sleeper())
    env.process(joins(s))
    def waker():
        yield env.timeout(1)
        s.interrupt('x')
    env.process(waker())
    env.run()


def interrupt_while_joining(env, log):
    """Interrupting one that waits for a process leaves that one alone."""
    def child():
        yield env.timeout(3)
        log.append('child ends')
    def parent():
        c = env.process(child())
        try:
            yield c
        except simpy.Interrupt:
            log.append(f'parent interrupted at {env.now}')
        yield c
        log.append(f'parent joined at {env.now}')
    def waker(p):
        yield env.timeout(1)
        p.interrupt()
    env.process(waker(env.process(parent())))
    env.run()


def any_tells_all_of_its_instant(env, log):
    def waits():
        a, b, c = env.timeout(1, 'a'), env.timeout(1, 'b'), env.timeout(2, 'c')
        got = yield env.any_of([a, b, c])
        log.append(' '.join(got.values()) + f' at {env.now}')
    env.process(waits())
    env.run()


def all_in_argument_order(env, log):
    def waits():
        a, b = env.timeout(2, 'a'), env.timeout(1, 'b')
        got = yield env.all_of([a, b])
        log.append(' '.join(got.values()) + f' at {env.now}')
    env.process(waits())
    env.run()


def conditions_have_a_turn(env, log):
    """A condition happens after what was scheduled before its last member was processed."""
    def waits():
        yield env.all_of([env.timeout(1), env.timeout(1)])
        log.append('all')
    def waits_any():
        yield env.any_of([env.timeout(1), env.timeout(9)])
        log.append('any')
    def other(name):
        yield env.timeout(1)
        log.append(name)
        yield env.timeout(0)
        log.append(f'{name} again')
    env.process(other('before'))
    env.process(waits())
    env.process(waits_any())
    env.process(other('after'))
    env.run()


def nested(env, log):
    def waits():
        a, b, c, d = (env.timeout(n, str(n)) for n in (1, 2, 3, 4))
        got = yield (a & b) | (c & d)
        log.append(' '.join(got.values()) + f' at {env.now}')
        got = yield (a | b) & (c | d)
        log.append(' '.join(got.values()) + f' at {env.now}')
    env.process(waits())
    env.run()


def nested_turns(env, log):
    """Each level of nesting takes a turn of its own."""
    def waits():
        yield env.all_of([env.all_of([env.timeout(1)])])
        log.append('nested')
    def other():
        yield env.timeout(1)
        for n in range(4):
            log.append(str(n))
            yield env.timeout(0)
    env.process(waits())
    env.process(other())
    env.run()


def empty_conditions(env, log):
    def waits():
        yield env.all_of([])
        yield env.any_of([])
        log.append(f'at {env.now}')
    env.process(waits())
    env.run()


def processed_members(env, log):
    def waits():
        a = env.timeout(1, 'a')
        b = env.event().succeed('b')
        yield env.timeout(2)
        got = yield env.all_of([a, b])
        log.append(' '.join(got.values()) + f' at {env.now}')
        got = yield env.any_of([b, env.event()])
        log.append(' '.join(got.values()) + f' at {env.now}')
    env.process(waits())
    env.run()


def member_fails(env, log):
    e = env.event()
    def waits(kind):
        try:
            yield kind([e, env.timeout(5)])
        except ValueError as x:
            log.append(f'{x} at {env.now}')
    env.process(waits(env.all_of))
    env.process(waits(env.any_of))
    def fails():
        yield env.timeout(1)
        e.fail(ValueError('broken'))
    env.process(fails())
    env.run()


def fails_after_the_condition(env, log):
    e = env.event()
    def waits():
        yield env.any_of([e, env.timeout(1)])
        log.append(f'any at {env.now}')
        yield env.timeout(5)
        log.append('later')
    env.process(waits())
    def fails():
        yield env.timeout(2)
        e.fail(ValueError('broken'))
    env.process(fails())
    try:
        env.run()
    except ValueError as x:
        log.append(f'stopped by {x} at {env.now}')


def fails_with_the_condition(env, log):
    """The failure comes after the condition fired, before its turn."""
    e = env.event()
    def fails():
        yield env.timeout(1)
        e.fail(ValueError('broken'))
    def waits():
        yield env.any_of([env.timeout(1), e])
        log.append('any')
    env.process(fails())
    env.process(waits())
    try:
        env.run()
    except ValueError as x:
        log.append(f'stopped by {x} at {env.now}')


def defused_failure(env, log):
    e = env.event()
    e.callbacks.append(lambda e: setattr(e, '_defused', True))
    e.fail(ValueError('broken'))
    env.run()
    log.append('goes on')


def until_time(env, log):
    def ticks():
        while True:
            log.append(f'tick {env.now}')
            yield env.timeout(1)
    env.process(ticks())
    env.run(until=2)
    log.append(f'now {env.now}')
    env.run(until=3)
    for late in (3, 2):
        try:
            env.run(until=late)
        except ValueError:
            log.append(f'refused {late}')


def until_event_goes_on_later(env, log):
    """What waits for the until-event behind the run goes on when the run is resumed, first of all."""
    e = env.event()
    def waits(name):
        yield e
        log.append(name)
    def triggers():
        yield env.timeout(1)
        env.process(waits('late'))
        yield env.timeout(0)
        e.succeed('value')
        yield env.timeout(0)
        log.append('other')
    env.process(waits('early'))
    env.process(triggers())
    env.run(until=0.5)
    log.append(env.run(until=e))
    env.run()


def until_processed(env, log):
    e = env.event().succeed('value')
    env.run()
    log.append(env.run(until=e))


def until_never(env, log):
    try:
        env.run(until=env.event())
    except RuntimeError:
        log.append('never')


def until_fails(env, log):
    def child():
        yield env.timeout(1)
        raise ValueError('broken')
    p = env.process(child())
    try:
        env.run(until=p)
    except ValueError as x:
        log.append(f'{x} at {env.now}')


def steps(env, log):
    def ticks():
        yield env.timeout(1)
        log.append('tick')
    env.process(ticks())
    log.append(f'peek {env.peek()}')
    env.step()
    log.append(f'peek {env.peek()}')
    env.step()
    env.step()
    log.append(f'peek {env.peek()}')
    try:
        env.step()
    except simpy.core.EmptySchedule:
        log.append('empty')


def until_failed_already(env, log):
    """A run until an event that failed before raises its failure at once."""
    e = env.event().fail(ValueError('broken'))
    e.defused = True
    env.run()
    try:
        env.run(until=e)
    except ValueError as x:
        log.append(f'{x} at {env.now}')


def until_interrupted_by_another(env, log):
    """The end of a run until a time comes before what is due then, even if it was asked for later."""
    def ticks():
        yield env.timeout(1)
        log.append('tick')
    env.process(ticks())
    env.run(until=1)
    log.append(f'at {env.now}')
    env.run()


def takes_over(env, log):
    """trigger() copies another event's outcome, as a callback."""
    for fails in (False, True):
        first, second = env.event(), env.event()
        first.callbacks.append(second.trigger)
        def waits(e):
            try:
                log.append(f'value {(yield e)}')
            except ValueError as x:
                log.append(f'failure {x}')
        env.process(waits(second))
        if fails:
            first.fail(ValueError('broken'))
            first.defused = True
        else:
            first.succeed(3)
        env.run()


def fails_unheard(env, log):
    """An event's failure that nobody waits for stops the run; the rest goes on with the next run."""
    env.event().fail(ValueError('broken'))
    def other():
        yield env.timeout(0)
        log.append('other')
    env.process(other())
    for _ in range(2):
        try:
            env.run()
            log.append('ended')
        except ValueError as x:
            log.append(f'stopped by {x}')


def timeout_states(env, log):
    def waits():
        t = env.timeout(2, 'value')
        yield env.timeout(1)
        log.append(f'processed {t.processed}')
        yield env.timeout(1)
        log.append(f'processed {t.processed}')
        log.append(f'{(yield t)} at {env.now}')
    env.process(waits())
    env.run()


def who_runs(env, log):
    def one():
        log.append(env.active_process.name)
        yield env.timeout(1)
        log.append(env.active_process.name)
    def two():
        log.append(env.active_process.name)
        yield env.timeout(1)
    env.process(one())
    env.process(two())
    log.append(str(env.active_process))
    env.run()
    log.append(str(env.active_process))


def shared_member(env, log):
    """One event in two conditions, and awaited too: in the order of the waiting."""
    e = env.event()
    def cond(name, kind):
        yield kind([e, env.timeout(3 if kind == env.any_of else 2)])
        log.append(f'{name} at {env.now}')
    def waits():
        yield e
        log.append(f'waits at {env.now}')
    env.process(cond('any', env.any_of))
    env.process(waits())
    env.process(cond('all', env.all_of))
    def triggers():
        yield env.timeout(1)
        e.succeed()
    env.process(triggers())
    env.run()


def failure_to_all_joiners(env, log):
    """Each that waits for a process gets its failure."""
    def child():
        yield env.timeout(1)
        raise ValueError('broken')
    def joins(name, c):
        try:
            yield c
        except ValueError as x:
            log.append(f'{name} {x}')
    c = env.process(child())
    env.process(joins('a', c))
    env.process(joins('b', c))
    env.run()
    log.append(f'at {env.now}')


def delayed(env, log):
    from simpy.util import start_delayed
    def child():
        log.append(f'starts at {env.now}')
        yield env.timeout(1)
        return 7
    def parent():
        p = yield start_delayed(env, child(), 3)
        log.append(f'has it at {env.now}, alive {p.is_alive}')
        log.append(f'{(yield p)} at {env.now}')
    env.process(parent())
    env.run()


def subscribed(env, log):
    from simpy.util import subscribe_at
    e = env.event()
    def waits():
        subscribe_at(e)
        try:
            yield env.timeout(9)
        except simpy.Interrupt as i:
            log.append(f'{i.cause[1]} at {env.now}')
        try:
            subscribe_at(e)
        except RuntimeError:
            log.append('refused')
    def triggers():
        yield env.timeout(2)
        e.succeed('value')
    env.process(waits())
    env.process(triggers())
    env.run()


def run_all(scenarios):
    for name, scenario in list(scenarios.items()):
        if getattr(scenario, '__code__', None) and scenario.__code__.co_varnames[:2] == ('env', 'log'):
            log = []
            scenario(simpy.Environment(), log)
            print(f'{name}: {" | ".join(log)}')


if __name__ == '__main__':
    run_all(globals())
