"""The acoustic model's means, moved for a language."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rtc_phrasebook import acoustic
from rtc_phrasebook.acoustic import Moves
from rtc_phrasebook.book import LANGUAGES
from rtc_phrasebook.decoder import acoustic_model
from rtc_server.errors import ConfigError

SHAPE = (4, 3, 8, 13)
"""Phones, streams, Gaussians, values."""


def a_model(folder: Path) -> Path:
    """A small model with means and variances of its own, and one more file."""
    folder.mkdir()
    chance = np.random.default_rng(5)
    means = chance.standard_normal(SHAPE, dtype=np.float32)
    acoustic.write_gaussians(folder / "means", means)
    acoustic.write_gaussians(folder / "variances", np.square(means) + np.float32(0.5))
    (folder / "mdef").write_bytes(b"phones")
    return folder


def test_gaussians_are_read_as_they_were_written(tmp_path: Path) -> None:
    values = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    acoustic.write_gaussians(tmp_path / "means", values)
    assert np.array_equal(acoustic.read_gaussians(tmp_path / "means"), values)


@pytest.mark.parametrize("data", [b"", b"s3\nendhdr\n" + bytes(40)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "means").write_bytes(data)
    with pytest.raises(ConfigError, match="means of the acoustic model is of an unknown kind"):
        acoustic.read_gaussians(tmp_path / "means")


def test_means_land_within_half_a_step_of_where_they_should(tmp_path: Path) -> None:
    model = a_model(tmp_path / "model")
    before = acoustic.read_gaussians(model / "means")
    variances = acoustic.read_gaussians(model / "variances")
    after = before + np.random.default_rng(6).uniform(-2, 2, SHAPE).astype(np.float32)
    moves = Moves(acoustic.checksum(model), acoustic.moves_between(before, after, variances))
    acoustic.write_moves(tmp_path / "kept.npz", moves)
    folder = tmp_path / "adapted"
    folder.mkdir()
    acoustic.adapted(model, acoustic.read_moves(tmp_path / "kept.npz"), folder)
    reached = acoustic.read_gaussians(folder / "means")
    off = np.abs(reached - after) / np.sqrt(variances)
    assert off.max() <= 0.5 * acoustic.STEP + 1e-5
    assert np.abs(reached - before).max() > 1  # it did move
    assert (folder / "mdef").read_bytes() == b"phones"
    assert np.array_equal(acoustic.read_gaussians(folder / "variances"), variances)


def test_the_same_moves_make_the_same_file(tmp_path: Path) -> None:
    steps = np.random.default_rng(7).integers(-9, 9, SHAPE, dtype=np.int8)
    for name in ("one.npz", "other.npz"):
        acoustic.write_moves(tmp_path / name, Moves(1, steps))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_moves_for_another_model_are_refused(tmp_path: Path) -> None:
    model = a_model(tmp_path / "model")
    right = Moves(acoustic.checksum(model), np.zeros(SHAPE, np.int8))
    folder = tmp_path / "adapted"
    folder.mkdir()
    with pytest.raises(ConfigError, match=r"not the one that the .* Run: .* 'pocketsphinx"):
        acoustic.adapted(model, replace(right, model=right.model + 1), folder)
    assert not list(folder.iterdir())


def with_weights(model: Path, weights: acoustic.Weights) -> None:
    """Add a file of mixture weights as PocketSphinx has it: descriptions, sizes, values."""
    head = b"".join(len(text).to_bytes(4, "little") + text for text in (b"made here\0", b"x\0"))
    sizes = np.array([0, *weights.shape[1:]], "<u4").tobytes()
    (model / acoustic.WEIGHTS).write_bytes(head + sizes + weights.tobytes())


def test_only_the_weights_of_the_named_senones_move_and_stay_in_eight_bits(tmp_path: Path) -> None:
    model = a_model(tmp_path / "model")
    weights = np.random.default_rng(1).integers(0, 256, (3, 8, 5), np.uint8)
    with_weights(model, weights)
    steps = np.random.default_rng(2).integers(-40, 40, (3, 8, 2), np.int8)
    senones = np.array([1, 4], np.uint16)
    moves = Moves(acoustic.checksum(model), np.zeros(SHAPE, np.int8), senones, steps)
    acoustic.write_moves(tmp_path / "kept.npz", moves)
    folder = tmp_path / "adapted"
    folder.mkdir()
    acoustic.adapted(model, acoustic.read_moves(tmp_path / "kept.npz"), folder)
    head, moved = acoustic.read_weights(folder / acoustic.WEIGHTS)
    assert head == acoustic.read_weights(model / acoustic.WEIGHTS)[0]
    wanted = weights.astype(int)
    wanted[:, :, [1, 4]] += acoustic.WEIGHT_STEP * steps.astype(int)
    assert np.array_equal(moved, np.clip(wanted, 0, 255))


def test_weights_stay_a_link_to_the_wheel_where_none_move(tmp_path: Path) -> None:
    model = a_model(tmp_path / "model")
    with_weights(model, np.zeros((3, 8, 5), np.uint8))
    folder = tmp_path / "adapted"
    folder.mkdir()
    acoustic.adapted(model, Moves(acoustic.checksum(model), np.zeros(SHAPE, np.int8)), folder)
    assert (folder / acoustic.WEIGHTS).is_symlink()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_moves_are_for_the_wheels_model(language: str) -> None:
    moves = acoustic.read_moves(acoustic.moves_file(language))
    assert moves.model == acoustic.checksum(acoustic_model())
    assert moves.steps.shape == acoustic.read_gaussians(acoustic_model() / "means").shape
    assert 0.02 < np.abs(moves.steps).mean() * acoustic.STEP < 0.2  # moved, and not far
    assert moves.weights.shape == (3, moves.steps.shape[2], len(moves.senones))
    assert 0.1 < np.mean(moves.weights != 0) < 0.7  # and so did the mixture weights


def test_moves_take_fewer_bytes_than_numpys_compression(tmp_path: Path) -> None:
    moves = acoustic.read_moves(acoustic.moves_file("ru"))
    acoustic.write_moves(tmp_path / "kept.npz", moves)
    np.savez_compressed(
        tmp_path / "numpys.npz", steps=moves.steps, senones=moves.senones, weights=moves.weights
    )
    kept, numpys = ((tmp_path / f"{name}.npz").stat().st_size for name in ("kept", "numpys"))
    assert kept < 0.9 * numpys


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    whole = acoustic.moves_file("en").read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    file = tmp_path / "en-means.npz"
    for content in (b"", b"plain text", whole[:2000], whole[:-50], bytes(damaged)):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=r"en-means\.npz cannot be read .* install"):
            acoustic.read_moves(file)
    file.unlink()
    with pytest.raises(ConfigError, match=r"en-means\.npz cannot be read .* install"):
        acoustic.read_moves(file)
