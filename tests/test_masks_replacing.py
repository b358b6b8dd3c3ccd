"""Masks that lay another face: k-Same on its released averages, and how such averages are made."""

import csv
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from skimage.data import astronaut
from typer.testing import CliRunner

from engine.cli import app
from engine.contact_sheet import COLUMNS, MOST, contact_sheet
from engine.data import FaceSet
from engine.errors import DataError, LandmarksError, MaskError
from engine.faces import detect
from engine.frechet import frechet
from engine.images import from_u8
from engine.likeness import calibrate, measure_likeness
from engine.masking import Masked, lay_masks
from engine.masks import make_mask
from engine.masks.ksame import MODEL, average_for, load_averages, place_of_seed
from engine.masks.matching import lit_as, most_unlike, tone_of
from engine.masks.portrait import inner_matte, lay_back, to_portrait
from engine.masks.thin_plate import bend
from engine.networks.eigenfaces import EigenFaces
from engine.recognition import embed, find_recognizer
from engine.training.averages import average, fit_averages, reached, skin_of
from engine.training.crowd import AveragesRecipe, Crowd, form_groups
from engine.training.shown import aligned
from engine.zoo import IDENTITIES, load_model

SHARED = Path(__file__).parents[1] / ".." / "shared" / "data"
LANDMARKS = np.array(
    [[48.2, 61.7], [92.0, 64.5], [68.3, 85.1], [48.4, 102.3], [86.3, 104.4]], np.float32
)
TINY = AveragesRecipe(least=3, components=4, kept=1.0, furthest=40.0)

Photo = npt.NDArray[np.uint8]


@pytest.fixture
def face_u8() -> Photo:
    return np.ascontiguousarray(astronaut()[40:180, 155:295])


def inner_of(face_u8: Photo, landmarks: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    portrait = to_portrait(face_u8, landmarks)
    white_u8 = np.full_like(portrait.picture_u8, 255)
    return np.asarray(lay_back(np.zeros_like(face_u8), white_u8, portrait)[..., 0] > 0)


# --- the mask -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.7])
def test_ksame_changes_the_inner_face_and_nothing_else(face_u8: Photo, scale: float) -> None:
    sized_u8 = np.asarray(cv2.resize(face_u8, None, fx=scale, fy=scale), np.uint8)
    before_u8, points = sized_u8.copy(), LANDMARKS * scale
    made_u8 = make_mask("ksame", sized_u8, landmarks=points, seed=4)
    assert np.array_equal(sized_u8, before_u8)
    inner = inner_of(sized_u8, points)
    assert np.array_equal(made_u8[~inner], sized_u8[~inner])
    assert (made_u8[inner] != sized_u8[inner]).any(axis=-1).mean() > 0.8


def test_equal_seeds_make_equal_faces_and_others_make_others(face_u8: Photo) -> None:
    made = [make_mask("ksame", face_u8, landmarks=LANDMARKS, seed=s) for s in (5, 5, 7, 2**128 - 1)]
    assert np.array_equal(made[0], made[1])
    assert len({one.tobytes() for one in made}) == 3


def test_a_face_is_found_where_the_face_was(face_u8: Photo) -> None:
    photo_u8 = np.ascontiguousarray(astronaut()[:300, 100:400])
    (before,) = detect(photo_u8)
    assert before.landmarks is not None
    made_u8 = make_mask("ksame", photo_u8[:, :], landmarks=before.landmarks, seed=2)
    (after,) = detect(made_u8)
    assert after.landmarks is not None
    eyes = np.hypot(*(before.landmarks[0] - before.landmarks[1]))
    assert np.hypot(*(after.landmarks - before.landmarks).T).mean() < 0.12 * eyes


def test_it_is_somebody_else(face_u8: Photo) -> None:
    judge = find_recognizer()
    from engine.alignment import align
    from engine.images import from_u8

    made = [make_mask("ksame", face_u8, landmarks=LANDMARKS, seed=seed) for seed in range(8)]
    faces = [from_u8(align(one_u8, LANDMARKS)) for one_u8 in (face_u8, *made)]
    with torch.inference_mode():
        vectors = judge.embed(torch.cat(faces))
    assert judge.threshold is not None
    assert float((vectors[1:] @ vectors[0]).mean()) < judge.threshold


def test_character_takes_an_average_further_from_the_mean(face_u8: Photo) -> None:
    network = load_model(MODEL, "cpu")
    assert isinstance(network, EigenFaces)
    some = torch.tensor([3, 11])
    plain, more = network(some, 1.0), network(some, 2.0)
    mean = network(some, 0.0)
    assert torch.equal(mean[0], mean[1])
    assert (more - mean).abs().mean() > 1.5 * (plain - mean).abs().mean()
    assert network.config.least >= 10


@pytest.mark.parametrize("strength", [{"choices": 0}, {"choices": 2.5}, {"character": 9}], ids=str)
def test_strengths_out_of_range_are_refused(face_u8: Photo, strength: dict[str, float]) -> None:
    with pytest.raises(MaskError, match="choices must be whole"):
        make_mask("ksame", face_u8, landmarks=LANDMARKS, strength=strength)


def test_landmarks_are_needed(face_u8: Photo) -> None:
    with pytest.raises(LandmarksError, match="none were found") as caught:
        make_mask("ksame", face_u8)
    assert caught.value.hint
    with pytest.raises(LandmarksError, match="one place"):
        make_mask("ksame", face_u8, landmarks=np.full((5, 2), 70.0))


# --- what such masks share ------------------------------------------------------------------------


def test_bending_moves_landmarks_and_keeps_the_border() -> None:
    y, x = np.mgrid[:112, :112].astype(np.float32)
    places = np.dstack([x, y, 0 * x])
    start = np.array([[38, 40], [74, 40], [56, 58], [42, 74], [70, 74]], np.float32)
    goal = start + np.array([[3, -2], [1, 4], [-4, 2], [0, 3], [2, 0]], np.float32)
    bent = bend(places, start, goal)
    for was, now in zip(start, goal.astype(int), strict=True):
        assert np.abs(bent[now[1], now[0], :2] - was).max() < 0.2
    corners = bent[[0, 0, -1, -1], [0, -1, 0, -1], :2]
    assert np.abs(corners - [[0, 0], [111, 0], [0, 111], [111, 111]]).max() < 0.2
    assert np.abs(bend(places, start, start) - places).max() < 0.01


def test_another_face_is_lit_as_the_one_it_replaces() -> None:
    rng = np.random.default_rng(0)
    other = np.full((112, 112, 3), (60, 80, 200), np.float32) + rng.normal(0, 10, (112, 112, 1))
    slope = np.linspace(90, 200, 112)[None, :, None]
    portrait_u8 = (slope * (1, 0.8, 0.7) + np.zeros((112, 112, 3))).astype(np.uint8)
    matte = inner_matte(112)
    lit_u8 = lit_as(other.astype(np.float32), portrait_u8, matte)
    assert np.abs(tone_of(lit_u8, matte) - tone_of(portrait_u8, matte)).max() < 3
    inner = matte == 1
    left, right = inner.copy(), inner.copy()
    left[:, 50:], right[:, :60] = False, False
    assert lit_u8[right].mean() - lit_u8[left].mean() > 6, "light from the right stays there"
    assert lit_u8[inner].std(axis=0).min() > 5, "its own detail stays"


# --- how the averages are made --------------------------------------------------------------------


def crowd(count: int, people: list[str]) -> Crowd:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    landmarks = np.array([[38, 38], [73, 38], [56, 58], [42, 73], [70, 73]])
    return Crowd(
        places=[(0, i) for i in range(count)],
        people=people,
        landmarks=(landmarks + rng.normal(0, 1, (count, 5, 2))).astype(np.float32),
        tones=rng.normal(60, 5, (count, 3)).astype(np.float32),
        vectors=vectors.astype(np.float32),
    )


def test_every_group_has_k_different_people_and_no_face_is_in_two() -> None:
    people = [f"person {i % 17}" if i % 3 else "" for i in range(200)]
    groups = form_groups(crowd(200, people), AveragesRecipe(least=10, kept=1.0))
    assert len(groups) > 10
    assert all(len(group) == 10 for group in groups)
    used = [int(i) for group in groups for i in group]
    assert len(used) == len(set(used))
    for group in groups:
        known = [people[i] for i in group if people[i]]
        assert len(known) == len(set(known))
    again = form_groups(crowd(200, people), AveragesRecipe(least=10, kept=1.0))
    assert all(np.array_equal(one, other) for one, other in zip(groups, again, strict=True))


def test_too_few_faces_are_refused() -> None:
    with pytest.raises(DataError, match="20 faces or more"):
        form_groups(crowd(15, [""] * 15), AveragesRecipe(least=10))


def test_an_average_lies_at_the_mean_of_its_landmarks() -> None:
    pictures, points = [], []
    for shift in (-3, 0, 3):
        picture_u8 = np.full((112, 112, 3), 120, np.uint8)
        landmarks = np.array([[38, 38], [73, 38], [56, 58], [42, 73], [70, 73]]) + shift
        for x, y in landmarks.tolist():
            cv2.circle(picture_u8, (x, y), 4, (20, 20, 20), -1)
        pictures.append(picture_u8)
        points.append(landmarks)
    mean = average(pictures, np.array(points, np.float32))
    for x, y in points[1].tolist():
        assert mean[y, x].max() < 60, "five sharp dots, not fifteen pale ones"


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Path]:
    """A folder of faces with landmarks: one face, turned and shaded ten ways."""
    folder = tmp_path / "faces"
    folder.mkdir()
    rng = np.random.default_rng(0)
    face_u8 = np.ascontiguousarray(astronaut()[40:180, 155:295])
    columns = ["file", "source", "identity", *(f"{axis}{i}" for i in range(5) for axis in "xy")]
    rows = []
    for number in range(10):
        angle, shade = float(rng.uniform(-9, 9)), float(rng.uniform(0.7, 1.2))
        matrix = cv2.getRotationMatrix2D((70, 80), angle, 1.0)
        turned = cv2.warpAffine(face_u8, matrix, (140, 140), borderMode=cv2.BORDER_REFLECT_101)
        cv2.imwrite(str(folder / f"{number}.png"), np.clip(turned * shade, 0, 255)[..., ::-1])
        points = LANDMARKS @ matrix[:, :2].T + matrix[:, 2]
        rows.append([f"{number}.png", "made", "", *points.ravel().round(2).tolist()])
    import zipfile

    with zipfile.ZipFile(tmp_path / "faces_train_0.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    with (tmp_path / "faces_train_0.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    yield tmp_path


def test_averages_are_made_written_and_found_again(training: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    network = fit_averages([FaceSet(training / "faces_train_0.zip")], run, TINY)
    assert network.config.groups == 3 and network.config.least == 3
    told = reached(run, TINY, 0)
    assert told is not None and told["groups"] == 3 and told["faces_seen"] == 9
    loaded = EigenFaces.from_pretrained(run / "model", low_cpu_mem_usage=False)
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    drawn = loaded(torch.arange(3))
    assert drawn.shape == (3, 3, 112, 112) and drawn.min() >= 0 and drawn.max() <= 1
    assert drawn.std() > 0.05
    for seen in (loaded.vectors, loaded.identities):
        lengths = seen.float().norm(dim=1)
        assert torch.allclose(lengths, torch.ones(3), atol=2e-3), "what a recogniser sees in each"
    with pytest.raises(DataError, match="another run"):
        reached(run, TINY, 1)
    assert reached(tmp_path / "nothing", TINY, 0) is None


def test_of_averages_only_skin_is_kept_and_what_lies_within() -> None:
    y, x = np.mgrid[:112, :112]
    face = ((x - 56) / 28) ** 2 + ((y - 56) / 38) ** 2 < 1
    pictures = np.full((2, 112, 112, 3), 40, np.float32)
    pictures[:, face] = 180
    pictures[:, 40:46, 28:40] = 20  # a dark eye, open to what is dark beside the face
    kept = skin_of(pictures, TINY)
    assert kept[43, 36], "an eye is of the face"
    assert kept[face].mean() > 0.8
    assert not kept[~face].any()
    with pytest.raises(DataError, match="light where faces are"):
        skin_of(np.where(y[..., None] % 2, 20, pictures).astype(np.float32), TINY)


def test_beyond_what_is_kept_an_average_goes_on_without_a_rim() -> None:
    network = load_averages().network
    with torch.inference_mode():
        drawn = network(torch.arange(0, 1600, 400), 2.2).mean(1)
    # One pixel on either side of the border of what is kept, where the jaw ends.
    for column in range(40, 72, 4):
        last = int(network.kept[:, column].nonzero().max())
        step = (drawn[:, last + 1, column] - drawn[:, last, column]).abs()
        assert float(step.max()) < 0.06
        beyond, within = drawn[:, last + 5, column], drawn[:, last - 8, column]
        assert float(beyond.sum() / within.sum()) > 0.5  # a dark one may end at nothing


def test_seeds_choose_from_averages_that_are_less_alike_than_those_in_like_pose() -> None:
    averages = load_averages()
    near = averages.nearest(averages.shape, averages.tones.mean(axis=0), 200)
    kept = near[most_unlike(averages.vectors[near, None], 40)]

    def pass_for_one(some: npt.NDArray[np.int64]) -> float:
        cosines = averages.vectors[some] @ averages.vectors[some].T
        return float((cosines[np.triu_indices(len(some), 1)] >= 0.3).mean())

    assert len(set(kept.tolist())) == 40
    assert pass_for_one(kept) < 0.6 * pass_for_one(near)


def test_neighbouring_seeds_draw_different_averages_and_every_one_is_drawn() -> None:
    for count in (1, 2, 10, 40):
        drawn = [place_of_seed(seed, count) for seed in range(2**64, 2**64 + count)]
        assert sorted(drawn) == list(range(count))


def test_an_average_that_is_asked_to_be_like_somebody_is() -> None:
    averages = load_averages()
    portrait_u8, points = np.full((112, 112, 3), 128, np.uint8), averages.shape
    shown = aligned(averages.network(torch.tensor([100, 900, 1500]), 2.2))
    for like in find_recognizer(IDENTITIES).embed(shown).numpy():
        made = [
            average_for(portrait_u8, points, seed, choices=300, like=asked)
            for seed in range(5)
            for asked in (like, None)
        ]
        seen = [embed(from_u8(picture_u8), [points], IDENTITIES)[0].numpy() for picture_u8 in made]
        asked, any_one = (np.mean([vector @ like for vector in seen[i::2]]) for i in (0, 1))
        assert asked > any_one + 0.1


def test_train_refuses_what_averages_have_no_use_for(training: Path) -> None:
    words = ["train", "ksame", "--data", str(training), "--resume", str(training / "run")]
    for option in (("--teachers", "x"), ("--blocks", "2"), ("--steps", "3"), ("--batch", "2")):
        result = CliRunner().invoke(app, [*words, *option])
        assert result.exit_code == 2
        assert "no use for it" in result.stderr
    result = CliRunner().invoke(app, words)  # ten faces are no twenty
    assert result.exit_code == 1
    assert "20 faces or more" in result.stderr


# --- what masks leave -----------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "eval_112.zip").is_file(), reason="needs ../shared/data")
def test_what_a_mask_leaves_is_measured() -> None:
    faces, judge = FaceSet(SHARED / "eval_112.zip"), find_recognizer()
    chosen = list(range(10, 70, 10))
    assert judge.threshold is not None
    box = measure_likeness(faces, chosen, "box", judge, judge.threshold)
    swapped = measure_likeness(faces, chosen, "ksame", judge, judge.threshold)
    assert (swapped.faces, swapped.noted) == (6, 0)
    assert swapped.found == 1 and box.found < 1
    assert swapped.match < 0.5 and swapped.cosine < swapped.threshold
    assert swapped.landmarks_error < 15
    assert swapped.largest_change_outside == 0 < box.largest_change_outside
    assert (box.seeds_match, box.seeds_margin) == (1, 0)
    assert swapped.agent_nearer is None
    assert swapped.frechet is not None and box.frechet is not None
    assert 0 < swapped.frechet < box.frechet, "a face is nearer to faces than a box is"


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "eval_112.zip").is_file(), reason="needs ../shared/data")
def test_a_swapped_face_is_nearer_to_its_agent() -> None:
    faces, judge = FaceSet(SHARED / "eval_112.zip"), find_recognizer()
    swapped = measure_likeness(faces, [10, 20], "faceshifter", judge, 0.4)
    assert swapped.agent_nearer == 1
    alone = measure_likeness(faces, [20], "ksame", judge, 0.4)
    assert alone.frechet is None


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "eval_112.zip").is_file(), reason="needs ../shared/data")
def test_masks_are_measured_with_seeds_drawn_for_each_face(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def lay(*photo: object, seed: int, **settings: object) -> Masked:
        asked.append(seed)
        return lay_masks(*photo, seed=seed, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.likeness.lay_masks", lay)
    faces, judge = FaceSet(SHARED / "eval_112.zip"), find_recognizer()
    measure_likeness(faces, [10, 20], "gaussian", judge, 0.4)
    assert len({*asked}) == 6
    assert min(np.abs(np.diff(sorted(asked)))) > 1000, "neighbours are made to differ"
    first = asked.copy()
    measure_likeness(faces, [20], "gaussian", judge, 0.4)
    assert asked[6:] == first[3:], "a face has its seeds whichever others are measured"


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "eval_112.zip").is_file(), reason="needs ../shared/data")
def test_a_mask_is_laid_by_our_detector_not_by_the_csv() -> None:
    faces, judge = FaceSet(SHARED / "eval_112.zip"), find_recognizer()
    record = faces.records[20]
    assert record.landmarks is not None
    true = measure_likeness(faces, [20], "ksame", judge, 0.4)
    elsewhere = dataclasses.replace(record, landmarks=record.landmarks + 20)
    faces.records = [*faces.records[:20], elsewhere, *faces.records[21:]]
    moved = measure_likeness(faces, [20], "ksame", judge, 0.4)
    assert moved.landmarks_error == true.landmarks_error
    assert moved.cosine != true.cosine, "the judge does look where the csv says"


def test_the_frechet_distance_of_two_known_clouds() -> None:
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(400, 3))
    assert frechet(cloud, cloud) == pytest.approx(0, abs=1e-6)
    assert frechet(cloud, cloud + np.array([1, 0, 2])) == pytest.approx(5, abs=1e-6)
    # for equal means and covariances that commute: the sum of (s - t) ** 2
    spread = np.trace(np.cov(cloud, rowvar=False))
    assert frechet(cloud, 2 * cloud - cloud.mean(0)) == pytest.approx(spread, rel=1e-6)


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "eval_112.zip").is_file(), reason="needs ../shared/data")
def test_the_verb_masks_prints_the_figures() -> None:
    words = ["masks", "--data", str(SHARED / "eval_112.zip"), "--limit", "1", "--masks"]
    result = CliRunner().invoke(app, [*words, "ksame,sticker", "--threshold", "0.4", "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert list(told) == ["ksame", "sticker"]
    assert told["ksame"]["faces"] == 3 and told["ksame"]["threshold"] == 0.4
    assert CliRunner().invoke(app, [*words, "nobody"]).exit_code == 1


def test_a_set_without_identities_cannot_calibrate(training: Path) -> None:
    with pytest.raises(DataError, match="identity"):
        calibrate(FaceSet(training / "faces_train_0.zip"), find_recognizer())


def test_a_sheet_shows_faces_beside_their_masks(training: Path) -> None:
    faces = FaceSet(training / "faces_train_0.zip")
    count = len(faces.records)
    sheet = contact_sheet(faces, range(count), ["box", "gaussian"], model="")
    sheet_u8 = sheet.picture_u8
    assert sheet.faces == min(count, MOST)
    rows = -(-min(count, MOST) // COLUMNS)
    assert sheet_u8.shape == (112 * rows, 112 * 3 * COLUMNS, 3)
    first_u8 = cv2.resize(faces.load(0), (112, 112), interpolation=cv2.INTER_AREA)
    assert np.array_equal(sheet_u8[:112, :112], first_u8)
    assert not np.array_equal(sheet_u8[:112, 112:224], sheet_u8[:112, 224:336])
    assert contact_sheet(faces, [0], ["ksame"]).hidden in (0, 1)
    with pytest.raises(DataError, match="a face or more"):
        contact_sheet(faces, [], ["box"])
