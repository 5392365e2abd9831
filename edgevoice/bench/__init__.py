"""The bench: questions played into the real pipeline, and where the time of each answer went.

From the bottom: `statistics`; `result`, its file and its text; `machine` and `jobs`; `corpus` and
`roofline`; `driver`, which measures, and `compare`; `stages` and `soak`; then `matrix` (sweeps),
`report`, `replay`, `scenarios` and `trace`. Each knows only those before it.
"""
