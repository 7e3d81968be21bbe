"""Measurements inside the models: ``hidden`` (PCA shift, CKA) and ``tokens`` (KL, JS, ranks).

Import the module you need (``from transferscope.probe.hidden import hidden_shift``); both load
torch, which ``texts``, the readers of their input files, does not.
"""
