#!/usr/bin/env escript
%% erlang.erl: what Erlang's processes, gen_server and timers cost; prints JSON like peer.h says.
%%
%%   erlang.erl one | free | across
%%
%% The mode says which operations; the emulator's flags come with ERL_AFLAGS (table.py sets both):
%%   one     one scheduler, the program bound to one CPU; CPU time of the whole emulator
%%   free    a scheduler a CPU, placement left to the emulator; wall-clock time
%%   across  two schedulers, each bound to a CPU, processes bound to them; wall-clock time
-module(erlang_peer).
-mode(compile).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

-define(RUNS, 5).
-define(RUN_NS, 250000000).
-define(COUNT_MIN, 4000).
-define(COUNT_MAX, 4000000).
-define(PRODUCERS, 8).
-define(RING, 1000).
-define(PROCESSES, 100000).
-define(TIMERS, 1000000).
-define(TIMERS_AHEAD_MS, 1000).
-define(HOUR_MS, 3600000).

main([Mode]) ->
    put(mode, Mode),
    io:format("{\"version\": \"~s, erts ~s, ~s\"",
              [erlang:system_info(otp_release), erlang:system_info(version),
               erlang:system_info(emu_flavor)]),
    figures(Mode),
    io:format("}~n"),
    halt(0).

figures("one") ->
    figure("message", fun() -> bounce(1, 1) end),
    figure("message_one_way", fun() -> pour(1, 1, 1) end),
    figure("eight_to_one", fun() -> pour(?PRODUCERS, 1, 1) end),
    figure("ring", fun ring/0),
    figure("call", fun() -> call(1, 1) end),
    figure("timer", fun timer_set_cancel/0),
    figure("timer_fire", fun timer_fire/0),
    figure("actor_make", fun() -> element(1, make()) end),
    figure("actor_destroy", fun() -> element(2, make()) end),
    value("actor_bytes", bytes(fun() -> receive stop -> ok end end)),
    value("actor_bytes_asleep", bytes(fun() -> erlang:hibernate(erlang, now, []) end));
figures("free") ->
    figure("message_free", fun() -> bounce(0, 0) end),
    figure("eight_to_one_free", fun() -> pour(?PRODUCERS, 0, 0) end);
figures("across") ->
    figure("message_across", fun() -> bounce(1, 2) end),
    figure("message_one_way_across", fun() -> pour(1, 1, 2) end),
    figure("eight_to_one_across", fun() -> pour(?PRODUCERS, 1, 2) end),
    figure("call_across", fun() -> call(1, 2) end).

%% Measuring

figure(Name, Run) ->
    calibrate(Run, ?COUNT_MIN),
    Values = lists:sort([begin erlang:garbage_collect(), Run() end || _ <- lists:seq(1, ?RUNS)]),
    value(Name, lists:nth(?RUNS div 2 + 1, Values)).

%% Warms up, and finds how many operations fill a run.
calibrate(Run, Count) ->
    put(count, Count),
    Before = erlang:monotonic_time(nanosecond),
    _ = Run(),
    Share = ?RUN_NS / (erlang:monotonic_time(nanosecond) - Before),
    case Share < 1.5 orelse Count >= ?COUNT_MAX of
        true -> ok;
        false ->
            More = min(?COUNT_MAX, trunc(Count * min(Share, 8))),
            calibrate(Run, More - More rem ?COUNT_MIN)
    end.

count() -> get(count).

value(Name, Value) ->
    io:format(",~n \"~s\": ~.3f", [Name, float(Value)]).

%% CPU time comes in ms: RUN_NS is some hundred of them.
now_ns() ->
    case get(mode) of
        "one" -> element(1, erlang:statistics(runtime)) * 1000000;
        _ -> erlang:monotonic_time(nanosecond)
    end.

%% Runs Fun in a fresh process on the scheduler (0: any) and returns what it returns.
on(Scheduler, Fun) ->
    Self = self(), Mode = get(mode), Count = get(count), Ref = make_ref(),
    _ = start(Scheduler, fun() -> put(mode, Mode), put(count, Count), Self ! {Ref, Fun()} end, []),
    receive {Ref, Value} -> Value end.

start(0, Fun, Options) ->
    spawn_opt(Fun, [link | Options]);
start(Scheduler, Fun, Options) ->
    spawn_opt(Fun, [link, {scheduler, Scheduler} | Options]).

per(Before, Operations) ->
    (now_ns() - Before) / Operations.

%% Messages

bounce(Here, There) ->
    on(Here, fun() ->
        Self = self(),
        Other = start(There, fun() -> echo(Self) end, []),
        Before = now_ns(),
        bounce_loop(Other, count() div 2),
        Took = per(Before, count() div 2),
        Other ! stop,
        Took
    end).

bounce_loop(_, 0) -> ok;
bounce_loop(Other, N) ->
    Other ! N,
    receive N -> bounce_loop(Other, N - 1) end.

echo(Other) ->
    receive
        stop -> ok;
        N -> Other ! N, echo(Other)
    end.

%% The consumer keeps its queue off its heap: what the manual advises for a process that gets many
%% messages, and what allows senders to work side by side.
pour(Producers, Here, There) ->
    on(Here, fun() ->
        Self = self(),
        Each = count() div Producers,
        Consumer = start(There, fun() -> Self ! {done, drain(Each * Producers)} end,
                         [{message_queue_data, off_heap}]),
        Before = now_ns(),
        [start(Here, fun() -> send(Consumer, Each) end, []) || _ <- lists:seq(1, Producers)],
        receive {done, ok} -> per(Before, Each * Producers) end
    end).

send(_, 0) -> ok;
send(To, N) ->
    To ! N,
    send(To, N - 1).

drain(0) -> ok;
drain(N) -> receive _ -> drain(N - 1) end.

ring() ->
    on(1, fun() ->
        Self = self(),
        First = lists:foldl(fun(_, Next) -> start(1, fun() -> pass(Next) end, []) end, Self,
                            lists:seq(1, ?RING - 1)),
        Before = now_ns(),
        ring_loop(First, count() div ?RING),
        Took = per(Before, count()),
        First ! stop,
        receive stop -> Took end
    end).

ring_loop(_, 0) -> ok;
ring_loop(First, N) ->
    First ! N,
    receive N -> ring_loop(First, N - 1) end.

pass(Next) ->
    receive
        stop -> Next ! stop;
        N -> Next ! N, pass(Next)
    end.

%% Calls

call(Here, There) ->
    on(Here, fun() ->
        {ok, Server} = gen_server:start_link(?MODULE, [], [{spawn_opt, [{scheduler, There}]}]),
        Before = now_ns(),
        call_loop(Server, 0, count() div 2),
        Took = per(Before, count() div 2),
        gen_server:stop(Server),
        Took
    end).

call_loop(_, _, 0) -> ok;
call_loop(Server, Number, N) ->
    call_loop(Server, gen_server:call(Server, Number, infinity), N - 1).

init([]) -> {ok, none}.
handle_call(Number, _, State) -> {reply, Number + 1, State}.
handle_cast(_, State) -> {noreply, State}.

%% Timers

timer_set_cancel() ->
    on(1, fun() ->
        Before = now_ns(),
        timer_loop(count()),
        per(Before, count())
    end).

timer_loop(0) -> ok;
timer_loop(N) ->
    Timer = erlang:start_timer(?HOUR_MS, self(), x),
    _ = erlang:cancel_timer(Timer),
    timer_loop(N - 1).

%% All end at one moment: from then until the last message is taken, on the wall clock. Where it
%% came before all were set, there was too little time to set them.
timer_fire() -> timer_fire(?TIMERS_AHEAD_MS).

timer_fire(Ahead) ->
    Took = on(1, fun() ->
        process_flag(message_queue_data, off_heap),
        Until = erlang:monotonic_time(millisecond) + Ahead,
        [erlang:start_timer(Until, self(), x, [{abs, true}]) || _ <- lists:seq(1, ?TIMERS)],
        Late = erlang:monotonic_time(millisecond) >= Until,
        fired(?TIMERS),
        case Late of
            true -> late;
            false -> (erlang:monotonic_time(nanosecond) - Until * 1000000) / ?TIMERS
        end
    end),
    case Took of
        late -> timer_fire(2 * Ahead);
        _ -> Took
    end.

fired(0) -> ok;
fired(N) -> receive {timeout, _, x} -> fired(N - 1) end.

%% Processes: {ns to make one, ns to kill one}, until each has run, until each is gone.

make() ->
    on(1, fun() ->
        Idle = fun() -> receive stop -> ok end end,
        Count = erlang:system_info(process_count),
        Before = now_ns(),
        Made = [spawn(Idle) || _ <- lists:seq(1, ?PROCESSES)],
        erlang:yield(),
        Make = per(Before, ?PROCESSES),
        Between = now_ns(),
        [exit(Process, kill) || Process <- Made],
        gone(Count),
        {Make, per(Between, ?PROCESSES)}
    end).

gone(Count) ->
    case erlang:system_info(process_count) > Count of
        true -> erlang:yield(), gone(Count);
        false -> ok
    end.

%% Of one that has begun to wait.
bytes(Idle) ->
    Process = spawn(Idle),
    bytes_waiting(Process).

bytes_waiting(Process) ->
    case erlang:process_info(Process, [status, memory, current_function]) of
        [{status, waiting}, {memory, Bytes}, _] -> Bytes;
        _ -> erlang:yield(), bytes_waiting(Process)
    end.
