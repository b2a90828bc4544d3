"""Writes probe.json: what scikit-learn and scipy make of small random data. Run: build/venv/bin/python tests/golden/make_probe.py"""
import json
import pathlib

import numpy as np
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

generator = np.random.default_rng(7)


def rounded(array):
    return np.asarray(array).astype(np.float32).astype(float).tolist()


def probe_case(l2, separable, groups):
    rows, features = 80, 5
    copied = generator.random(rows) < 0.3
    evidence = generator.normal(size=(rows, features)) * [1, 10, 0.1, 3, 1] + copied[:, None] * (20 if separable else 0.8)
    evidence[:, 4] = 2.5  # never varies
    evidence = np.asarray(rounded(evidence))
    group = generator.integers(0, groups, rows)
    weight = np.zeros(rows)
    for label in (True, False):
        members = [np.flatnonzero((copied == label) & (group == g)) for g in range(groups)]
        members = [m for m in members if len(m)]
        for m in members:
            weight[m] = rows / 2 / len(members) / len(m)
    mean, scale = evidence.mean(0), evidence.std(0)
    scale[scale < 1e-12] = 1
    model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10000)
    model.fit((evidence - mean) / scale, copied, sample_weight=weight)
    scores = model.decision_function((evidence - mean) / scale)
    return dict(l2=l2, evidence=evidence.tolist(), copied=copied.tolist(), group=group.tolist(), mean=mean.tolist(), scale=scale.tolist(),
                weights=model.coef_[0].tolist(), bias=float(model.intercept_[0]), logits=scores.tolist(), auc=roc_auc_score(copied, scores))


def platt_case(scale, shift):
    rows = 60
    copied = generator.random(rows) < 0.4
    logits = np.asarray(rounded(scale * (generator.normal(size=rows) + 1.5 * copied) + shift))
    positives, negatives = int(copied.sum()), int((~copied).sum())
    target = np.where(copied, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    # A soft target is the same as the example seen with both labels, weighted.
    standardised = (logits - logits.mean()) / logits.std()
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10000)
    model.fit(np.concatenate([standardised, standardised])[:, None], np.repeat([True, False], rows), sample_weight=np.concatenate([target, 1 - target]))
    slope = model.coef_[0, 0] / logits.std()
    return dict(logits=logits.tolist(), copied=copied.tolist(), slope=slope, offset=model.intercept_[0] - slope * logits.mean())


def auc_case(rows, levels):
    scores = generator.integers(0, levels, rows).astype(float)
    positive = generator.random(rows) < 0.5
    return dict(scores=scores.tolist(), positive=positive.tolist(), auc=roc_auc_score(positive, scores))


golden = dict(
    probes=[probe_case(1.0, False, 1), probe_case(0.1, True, 1), probe_case(3.0, False, 4)],
    platt=[platt_case(1.0, 0.0), platt_case(250.0, -900.0)],
    auc=[auc_case(50, 5), auc_case(50, 1000)],
    clopper_pearson=[
        dict(hits=k, trials=n, confidence=c, upper=float(beta.ppf(c, k + 1, n - k)))
        for k, n, c in [(0, 1, 0.95), (0, 300, 0.95), (1, 200, 0.95), (5, 20, 0.9), (19, 20, 0.95), (37, 4000, 0.99), (50000, 100000, 0.95)]
    ],
)
path = pathlib.Path(__file__).with_name("probe.json")
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
