"""A pack of two tasks, as small as a pack can be."""

import datasets


def sums(n=4, seed=0, **_):
    rows = [
        {
            "id": f"s{seed}-{i}",
            "cluster": f"story{i // 2}",
            "subset": "easy" if i < 2 else "hard",
            "weight": 1.0 + i,
            "question": f"{i}+{seed}?",
            "answer": str(i + seed),
        }
        for i in range(n)
    ]
    return {"test": datasets.Dataset.from_list(rows)}


def grade_sum(doc, results):
    return {"score": float(results[0].strip() == doc["answer"])}


def colours(n=4, seed=0, **_):
    rows = [
        {"id": f"c{i}", "cluster": "", "subset": "", "question": f"Sky {i}?", "gold": i % 2}
        for i in range(n)
    ]
    return {"test": datasets.Dataset.from_list(rows)}


def grade_colour(doc, results):
    scores = [nats for nats, _ in results]
    return {"score": float(scores.index(max(scores)) == doc["gold"])}


def grade_badly(doc, results):
    return {"score": 1.5}


def grade_with_what_is_not_there(doc, results):
    import transferscope_no_such_package  # noqa: F401
