"""What the probes say of a model, by name; what is undefined is left out."""

from transferscope.study.predict import quantities


def test_a_distance_without_axes_is_no_quantity():
    layers = [{"cka": None}, {"cka": 0.75}]
    hidden = {"d_layerwise": 2.0, "d_paper": None, "layers": layers}
    found = quantities(hidden, {}, {}, source="math")
    assert found == {"PCA shift, layerwise": 2.0, "1 - lowest CKA": 0.25}
