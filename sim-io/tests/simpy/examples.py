"""SimPy's well-known examples without randomness: what examples/*.rs print, too.

`python examples.py NAME` prints tests/simpy/expected/NAME.txt.
"""
import simpy, sys

def car_charging():
    def car(env, name, bcs, driving_time, charge_duration):
        yield env.timeout(driving_time)
        print('%s arriving at %d' % (name, env.now))
        with bcs.request() as req:
            yield req
            print('%s starting to charge at %s' % (name, env.now))
            yield env.timeout(charge_duration)
            print('%s leaving the bcs at %s' % (name, env.now))
    env = simpy.Environment()
    bcs = simpy.Resource(env, capacity=2)
    for i in range(4):
        env.process(car(env, 'Car %d' % i, bcs, i * 2, 5))
    env.run()

def bank_renege():
    patience_of = [1, 3, 2, 3, 1]
    time_in_bank = [12, 5, 20, 9, 7]
    between = [3, 8, 10, 4, 6]
    def source(env, counter):
        for i in range(5):
            env.process(customer(env, f'Customer{i:02d}', counter, time_in_bank[i], patience_of[i]))
            yield env.timeout(between[i])
    def customer(env, name, counter, time_in_bank, patience):
        arrive = env.now
        print(f'{arrive:7.4f} {name}: Here I am')
        with counter.request() as req:
            results = yield req | env.timeout(patience)
            wait = env.now - arrive
            if req in results:
                print(f'{env.now:7.4f} {name}: Waited {wait:6.3f}')
                yield env.timeout(time_in_bank)
                print(f'{env.now:7.4f} {name}: Finished')
            else:
                print(f'{env.now:7.4f} {name}: RENEGED after {wait:6.3f}')
    print('Bank renege')
    env = simpy.Environment()
    counter = simpy.Resource(env, capacity=1)
    env.process(source(env, counter))
    env.run()

def machine_shop():
    REPAIR_TIME, JOB_DURATION = 30, 30
    class Machine:
        def __init__(self, env, number, repairman):
            self.env, self.number, self.name = env, number, f'Machine {number}'
            self.parts_made, self.broken = 0, False
            self.process = env.process(self.working(repairman))
            env.process(self.break_machine())
        def working(self, repairman):
            while True:
                done_in = 8 + self.number % 5
                while done_in:
                    start = self.env.now
                    try:
                        yield self.env.timeout(done_in)
                        done_in = 0
                    except simpy.Interrupt:
                        self.broken = True
                        done_in -= self.env.now - start
                        with repairman.request(priority=1) as req:
                            yield req
                            yield self.env.timeout(REPAIR_TIME)
                        self.broken = False
                self.parts_made += 1
        def break_machine(self):
            while True:
                yield self.env.timeout(211 + 37 * self.number)
                if not self.broken:
                    self.process.interrupt()
    def other_jobs(env, repairman):
        while True:
            done_in = JOB_DURATION
            while done_in:
                with repairman.request(priority=2) as req:
                    yield req
                    start = env.now
                    try:
                        yield env.timeout(done_in)
                        done_in = 0
                    except simpy.Interrupt:
                        done_in -= env.now - start
    print('Machine shop')
    env = simpy.Environment()
    repairman = simpy.PreemptiveResource(env, capacity=1)
    machines = [Machine(env, i, repairman) for i in range(10)]
    env.process(other_jobs(env, repairman))
    env.run(until=4 * 7 * 24 * 60)
    print('Machine shop results after 4 weeks')
    for machine in machines:
        print(f'{machine.name} made {machine.parts_made} parts.')

def movie_renege():
    movies = ['Python Unchained', 'Kill Process', 'Pulp Implementation']
    env = simpy.Environment()
    counter = simpy.Resource(env, capacity=1)
    available = {m: 50 for m in movies}
    sold_out = {m: env.event() for m in movies}
    when = {m: None for m in movies}
    renegers = {m: 0 for m in movies}
    def moviegoer(movie, num_tickets):
        with counter.request() as my_turn:
            result = yield my_turn | sold_out[movie]
            if my_turn not in result:
                renegers[movie] += 1
                return
            if available[movie] < num_tickets:
                yield env.timeout(0.5)
                return
            available[movie] -= num_tickets
            if available[movie] < 2:
                sold_out[movie].succeed()
                when[movie] = env.now
                available[movie] = 0
            yield env.timeout(1)
    def arrivals():
        n = 0
        while True:
            yield env.timeout(0.5)
            movie, tickets = movies[n % 3], 1 + n * 5 % 6
            if available[movie]:
                env.process(moviegoer(movie, tickets))
            n += 1
    print('Movie renege')
    env.process(arrivals())
    env.run(until=120)
    for movie in movies:
        if when[movie] is not None:
            print(f'Movie "{movie}" sold out {when[movie]:.1f} minutes after ticket counter opening.')
            print(f'  Number of people leaving queue when film sold out: {renegers[movie]}')

def gas_station():
    STATION_TANK_SIZE, THRESHOLD, CAR_TANK_SIZE = 200, 25, 50
    REFUELING_SPEED, TANK_TRUCK_TIME, SIM_TIME = 2, 300, 1000
    def car(name, env, gas_station, station_tank, level):
        print(f'{env.now:6.1f} s: {name} arrived at gas station')
        with gas_station.request() as req:
            yield req
            fuel_required = CAR_TANK_SIZE - level
            yield station_tank.get(fuel_required)
            yield env.timeout(fuel_required / REFUELING_SPEED)
            print(f'{env.now:6.1f} s: {name} refueled with {fuel_required:.1f}L')
    def gas_station_control(env, station_tank):
        while True:
            if station_tank.level / station_tank.capacity * 100 < THRESHOLD:
                print(f'{env.now:6.1f} s: Calling tank truck')
                yield env.process(tank_truck(env, station_tank))
            yield env.timeout(10)
    def tank_truck(env, station_tank):
        yield env.timeout(TANK_TRUCK_TIME)
        amount = station_tank.capacity - station_tank.level
        station_tank.put(amount)
        print(f'{env.now:6.1f} s: Tank truck arrived and refuelled station with {amount:.1f}L')
    def car_generator(env, gas_station, station_tank):
        i = 0
        while True:
            yield env.timeout(30 + i * 53 % 171)
            env.process(car(f'Car {i}', env, gas_station, station_tank, 5 + i * 7 % 21))
            i += 1
    print('Gas Station refuelling')
    env = simpy.Environment()
    gas_station = simpy.Resource(env, 2)
    station_tank = simpy.Container(env, STATION_TANK_SIZE, init=STATION_TANK_SIZE)
    env.process(gas_station_control(env, station_tank))
    env.process(car_generator(env, gas_station, station_tank))
    env.run(until=SIM_TIME)

globals()[sys.argv[1]]()
