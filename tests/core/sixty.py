"""Sixty paired outcomes in 15 clusters: 16 lost, 10 won. The peers saw the same arrays."""

import numpy as np

AT = np.arange(60)
BASE = ((AT * 7) % 10 < 6).astype(float)
TUNED = ((AT * 3 + AT // 7) % 10 < 5).astype(float)
CLUSTER = AT // 4
