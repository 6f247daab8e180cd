"""A printed photograph held before the camera: flat or bent, tilted. Drawn by its own geometry, not the simulator's."""

import cv2
import numpy as np

from biometrics.face.engine import Picture

CAMERA_PX = 900.0  # distance of the sheet, in its own pixels: about two sheet widths
CELLS = 24


def held(sheet: Picture, *, yaw: float = 0.0, pitch: float = 0.0, radius_px: float | None = None) -> Picture:
    """The sheet as the camera sees it: turned by the angles (radians), bent round an upright cylinder of the radius."""
    height, width = sheet.shape[:2]
    x, y = np.meshgrid(np.linspace(-width / 2, width / 2, CELLS + 1), np.linspace(-height / 2, height / 2, CELLS + 1))
    bent_x, bent_z = (
        (np.sin(x / radius_px) * radius_px, (np.cos(x / radius_px) - 1) * radius_px) if radius_px else (x, 0 * x)
    )
    turned_x = bent_x * np.cos(yaw) + bent_z * np.sin(yaw)
    turned_z = -bent_x * np.sin(yaw) + bent_z * np.cos(yaw)
    turned_y = y * np.cos(pitch) - turned_z * np.sin(pitch)
    away = CAMERA_PX - (y * np.sin(pitch) + turned_z * np.cos(pitch))
    source = np.stack([x + width / 2, y + height / 2], axis=-1).astype(np.float32)
    target = np.stack([turned_x, turned_y], axis=-1) * (CAMERA_PX / away)[..., None]
    target = (target + np.array([width / 2, height / 2])).astype(np.float32)
    seen = np.full_like(sheet, 120)
    for row in range(CELLS):
        for column in range(CELLS):
            _draw_cell(sheet, seen, _corners(source, row, column), _corners(target, row, column))
    return seen


def _corners(grid: np.ndarray, row: int, column: int) -> np.ndarray:
    return np.array([grid[row, column], grid[row, column + 1], grid[row + 1, column + 1], grid[row + 1, column]])


def _draw_cell(sheet: Picture, seen: Picture, source: np.ndarray, target: np.ndarray) -> None:
    height, width = seen.shape[:2]
    left, top = np.maximum(np.floor(target.min(axis=0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(target.max(axis=0)).astype(int) + 2, [width, height])
    if right <= left or bottom <= top:
        return
    local = target - np.array([left, top], dtype=np.float32)
    mapping = cv2.getPerspectiveTransform(source, local)
    patch = cv2.warpPerspective(sheet, mapping, (int(right - left), int(bottom - top)), borderMode=cv2.BORDER_REPLICATE)
    inside = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(inside, np.round(local).astype(np.int32), 1)
    seen[top:bottom, left:right][inside > 0] = patch[inside > 0]
