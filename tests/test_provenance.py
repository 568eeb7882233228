"""Seeds and hashes."""

from pathlib import Path

from forecast.provenance import generator, hash_bytes, hash_file, hash_files, hash_json, versions


def test_generators_depend_on_every_name_and_on_the_seed() -> None:
    draws = {
        generator(seed, *names).integers(1 << 62)
        for seed in (1, 2)
        for names in [("a", "b"), ("ab",), ("b", "a"), ("a", "b", "")]
    }
    assert len(draws) == 8
    assert generator(1, "a", "b").integers(1 << 62) == generator(1, "a", "b").integers(1 << 62)


def test_hashes_see_borders_and_not_the_order_of_keys(tmp_path: Path) -> None:
    assert hash_bytes(b"ab", b"c") != hash_bytes(b"a", b"bc")
    assert hash_json({"a": 1, "b": 2}) == hash_json({"b": 2, "a": 1})
    (tmp_path / "x").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hash_file(tmp_path / "x") == empty
    assert hash_files([tmp_path / "x"], tmp_path) == {"x": empty}


def test_versions_name_this_package_and_numpy() -> None:
    assert {"escalation-forecast", "numpy", "pandas"} <= set(versions())
