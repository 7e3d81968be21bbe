"""Lists, intervals, relations, matrices, ratios: what each is made of."""

from transferscope.grade import shapes
from transferscope.grade.notation import canonical


def test_lists() -> None:
    assert shapes.items(canonical(r"\{1, 2\}")) == shapes.Items(("1", "2"), braced=True)
    assert shapes.items("(1, 2)") == shapes.Items(("1", "2"), ordered=True)
    assert shapes.items(canonical("1 or 2")).parts == ("1", "2")
    assert shapes.items(canonical(r"1\pm\sqrt{2}")).parts == (r"1+ \sqrt{2}", r"1- \sqrt{2}")
    assert shapes.items("1,234") is None
    assert shapes.items("1,200, 3,400").parts == ("1200", "3400")
    assert shapes.items("(1,234)").parts == ("1", "234")
    assert shapes.items("5") is None


def test_relations_and_ratios() -> None:
    assert shapes.relation("2 + 3 = 5") == shapes.Relation(("2 + 3", "5"), ("=",))
    assert shapes.relation("f(x=1)") is None
    assert shapes.is_name("f(x)")
    assert shapes.is_name(r"\theta")
    assert not shapes.is_name("2x")
    assert shapes.parts_of_ratio("3:2") == ["3", "2"]
    assert shapes.parts_of_ratio(canonical("3 to 2")) == ["3", "2"]
    assert shapes.parts_of_ratio("3") == []


def test_a_functions_variable_is_renamed() -> None:
    line = shapes.Relation(("f(n)", r"2n + \sin n"), ("=",))
    assert shapes.in_variable_of(line, "f(x)") == r"2x + \sin x"
    assert shapes.in_variable_of(line, "f(n)") == shapes.in_variable_of(line, "y") == line.sides[1]
    assert shapes.in_variable_of(shapes.Relation(("f(n)", "n + x"), ("=",)), "f(x)") is None


def test_matrices() -> None:
    rows = (("1", "2"), ("3", "4"))
    for text in (
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        r"\left[\begin{array}{cc}1&2\\[2pt] 3&4\end{array}\right]",
        r"\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}",
    ):
        assert shapes.matrix(canonical(text)).rows == rows
    assert shapes.matrix(canonical(r"\begin{vmatrix}1\end{vmatrix}")).determinant
    assert shapes.matrix("(1, 2)") is None
