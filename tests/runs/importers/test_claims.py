"""In what samples contradict the results beside them, in one wording for all formats."""

from transferscope.runs.importers.claims import disagreement, told_of_tasks


def test_disagreement():
    assert disagreement(n=4, mean=0.5, said_n=4, said=0.5004) == ""
    assert disagreement(n=4, mean=0.5, said_n=None, said=None) == ""
    assert disagreement(n=4, mean=0.5, said_n=5, said=0.5) == "4 samples, not 5"
    assert disagreement(n=(6, 5), mean=0.5, said_n=5, said=0.5) == ""
    assert disagreement(n=4, mean=0.5, said_n=4, said=0.51) == "mean 50.00 %, not 51.00 %"
    both = "1,200 samples, not 5; mean 50.00 %, not 51.00 %"
    assert disagreement(n=1200, mean=0.5, said_n=5, said=0.51) == both


def test_of_several_tasks_the_first_is_told():
    assert told_of_tasks(["a: x"]) == "a: x"
    assert told_of_tasks(["a: x", "b: y", "c: z"]) == "a: x (and 2 more of its tasks)"
