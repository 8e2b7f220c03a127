from contextlib import ExitStack

from tests.support.ports import free_ports


def test_no_port_is_given_twice_at_once() -> None:
    among = range(20_000, 20_040)
    with ExitStack() as reserved:
        given = [reserved.enter_context(free_ports(1, among))[0] for _ in range(10)]
        assert len(set(given)) == 10
    with free_ports(2) as (first, second):
        assert second == first + 1
