"""Compiled functions on the workers of a Dask cluster."""

import logging

import numpy as np
import pytest

import engine
from engine import Value

pytest.importorskip("llvmlite")
distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def client():
    options = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with distributed.LocalCluster(n_workers=2, **options) as cluster, distributed.Client(cluster) as client:
        yield client


def test_means_of_gradients_come_back_from_two_workers(client):
    x, w, b = Value(0.5, "x"), Value(0.7, "w"), Value(-0.2, "b")
    f = engine.compile((w * x + b).tanh() ** 2, x)
    rows = np.random.default_rng(1).standard_normal(6000)
    remote = client.scatter(f, broadcast=True, hash=False)
    workers = [*client.nthreads()] * 3
    parts = [
        client.submit(type(f).mean_gradient, remote, part, pure=False, workers=[worker])
        for part, worker in zip(np.split(rows, 6), workers, strict=True)
    ]
    means, gradients = zip(*client.gather(parts), strict=True)
    mean, gradient = f.mean_gradient(rows)
    assert np.mean(means) == pytest.approx(mean, rel=1e-13)
    np.testing.assert_allclose(np.mean(gradients, axis=0), gradient, rtol=1e-12)
    for part, result in zip(np.split(rows, 6), client.gather(parts), strict=True):  # the same bits as here
        np.testing.assert_array_equal(result[1], f.mean_gradient(part)[1])


def test_errors_name_the_row_and_the_operation(client):
    x = Value(2.0, "x")
    with pytest.raises(ArithmeticError, match="row 1: log"):
        client.submit(engine.compile(x.log(), x), [1.0, -1.0]).result()


def test_custom_rules_travel_with_the_function(client):
    cube, x = engine.rule("cube_of_test", "a*a*a", "3*a*a"), Value(2.0, "x")
    remote = client.scatter(engine.compile(cube(x), x), broadcast=True, hash=False)
    for worker in client.nthreads():
        results = client.submit(lambda f: f([1.0, 2.0]), remote, workers=[worker], pure=False).result()
        assert results.tolist() == [1.0, 8.0]
