"""Probes of base and tuned model: ``hidden`` states, ``tokens`` (KL, JS, ranks), ``weights``.

Import the module you need (``from transferscope.probe.hidden import hidden_shift``). The probes
load torch; ``texts``, which reads their input files, does not.
"""
