"""no_grad."""

from engine import Value, no_grad


class TestNoGrad:
    def test_ends_as_it_began(self):
        with no_grad():
            with no_grad():
                pass
            assert (Value(1.0) + 1).is_constant
        assert not (Value(1.0) + 1).is_constant
