"""A JSON value with one place replaced by anything: what a hostile writer may put into a file."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=5)
    | st.sampled_from(["0" * 64, "ab" * 32, "0x" + "00" * 20, "-1", "accepted", "never"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every place in a JSON value, itself first."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """`value` with one place replaced, dropped or added to."""
    path = draw(st.sampled_from(list(places(value))))
    new = draw(ANYTHING)
    if not path:
        return new
    result = copy.deepcopy(value)
    inside = result
    for name in path[:-1]:
        inside = inside[name]
    kind = draw(st.sampled_from(["replace", "drop", "add"]))
    if kind == "replace":
        inside[path[-1]] = new
    elif kind == "drop":
        del inside[path[-1]]
    elif isinstance(inside, dict):
        inside[draw(st.text(max_size=5))] = new
    else:
        inside.append(new)
    return result
