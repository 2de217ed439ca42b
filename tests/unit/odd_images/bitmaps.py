"""Generates BMP and TIFF files with the pictures that they must show."""

import struct

import numpy as np
from PIL import Image
from tests.unit.odd_images.expected import (
    BITS,
    COLOURS,
    GREYS,
    HEIGHT,
    INDEXED,
    INDICES,
    LOSSY,
    SHOWN,
    TRANSPARENT,
    WIDTH,
    Named,
    Pictured,
    grey_rgb,
)
from tests.unit.odd_images.makers import (
    alpha_scene,
    bmp,
    bmp_lines,
    grey_scene,
    planar_tiff,
    saved,
    scene,
    tiff_of,
    tiled_tiff,
)


def bmps() -> Named:
    def made(lines: bytes, bits: int, **changes: object) -> bytes:
        return bmp(lines, (WIDTH, HEIGHT), bits, **changes)  # type: ignore[arg-type]

    colours = scene()[:, :, ::-1]
    four = np.dstack([colours, np.zeros((HEIGHT, WIDTH), np.uint8)])
    table = np.column_stack([COLOURS[:, ::-1], np.zeros(len(COLOURS), np.uint8)]).tobytes()
    table_256 = table.ljust(1024, b"\0")
    yield "BMP of 24 bits", Pictured(made(bmp_lines(colours, 8), 24), "bmp")
    yield "BMP from the top down", Pictured(bmp(bmp_lines(colours, 8, lowest_first=False), (WIDTH, -HEIGHT), 24), "bmp")
    yield "BMP of 32 bits with a fourth byte of 0", Pictured(made(bmp_lines(four, 8), 32), "bmp")
    five = (scene().astype(np.uint16) >> 3) @ np.array([1 << 10, 1 << 5, 1], np.uint16)
    yield "BMP of 15 of 16 bits", Pictured(made(bmp_lines(five, 16), 16), "bmp", differs=4)
    six = (scene().astype(np.uint16) >> np.array([3, 2, 3], np.uint16)) @ np.array([1 << 11, 1 << 5, 1], np.uint16)
    masks = np.array([0xF800, 0x07E0, 0x001F], "<u4").tobytes()
    yield "BMP of 16 bits", Pictured(made(bmp_lines(six, 16), 16, compression=3, masks=masks), "bmp", differs=4)
    for bits, colour_table in ((4, table.ljust(64, b"\0")), (8, table_256)):
        yield (
            f"palette BMP of {bits} bits",
            Pictured(made(bmp_lines(INDICES, bits), bits, palette=colour_table), "bmp", **INDEXED),
        )
    two = np.array([(255, 255, 255, 0), (200, 30, 30, 0)], np.uint8)
    yield (
        "BMP of 1 bit",
        Pictured(
            made(bmp_lines(BITS, 1), 1, palette=two.tobytes()), "bmp", shows=two[:, 2::-1][BITS], traits=("palette",)
        ),
    )
    runs = b"".join(bytes((15, int(line[at]))) for line in INDICES[::-1] for at in range(0, WIDTH, 15))
    encoded = b"".join(runs[at : at + 8] + b"\0\0" for at in range(0, len(runs), 8)) + b"\0\1"
    yield "BMP of run lengths", Pictured(made(encoded, 8, compression=1, palette=table_256), "bmp", **INDEXED)


def tiffs() -> Named:
    def made(data: bytes, **changes: object) -> Pictured:
        return Pictured(data, "tif", **changes)  # type: ignore[arg-type]

    sixteen = scene().astype(np.uint16) * 256
    grey_16 = {"shows": grey_rgb(grey_scene()), "traits": ("16_bit", "grey"), "differs": 1.0}
    table = np.zeros((256, 3), np.uint16)
    table[: len(COLOURS)] = COLOURS.astype(np.uint16) * 257
    yield "TIFF of one strip", made(tiff_of(scene()))
    yield "TIFF of a Macintosh", made(tiff_of(scene(), order=">"))
    yield "TIFF of planes", made(planar_tiff(scene(), bits=8))
    yield "TIFF of planes of 16 bits", made(planar_tiff(sixteen, bits=16), differs=1)
    yield "TIFF of planes of 16 bits of a Macintosh", made(planar_tiff(sixteen, bits=16, order=">"), differs=1)
    yield "TIFF of 16 bits in colour", made(tiff_of(sixteen, bits=16), differs=1)
    yield "TIFF of tiles", made(tiled_tiff(scene()))
    yield "grey TIFF", made(tiff_of(grey_scene(), photometric=1), **GREYS)
    yield "grey TIFF whose zero is white", made(tiff_of(255 - grey_scene(), photometric=0), **GREYS)
    yield "grey TIFF of 16 bits", made(tiff_of(grey_scene().astype(np.uint16) * 257, bits=16, photometric=1), **grey_16)
    yield (
        "grey TIFF of 16 bits of a Macintosh",
        made(tiff_of(grey_scene().astype(np.uint16) * 257, bits=16, photometric=1, order=">"), **grey_16),
    )
    yield "TIFF of 1 bit", made(tiff_of(BITS, bits=1, photometric=1), shows=grey_rgb(BITS * 255), traits=("grey",))
    yield "palette TIFF", made(tiff_of(INDICES, photometric=3, t320=(3, table.T.reshape(-1).tolist())), **INDEXED)
    yield "TIFF with alpha", made(tiff_of(np.dstack([scene(), alpha_scene()]), t338=(3, [2])), **TRANSPARENT)
    yield (
        "TIFF of CMYK",
        made(tiff_of(np.dstack([255 - scene(), np.zeros((HEIGHT, WIDTH), np.uint8)]), photometric=5), traits=("cmyk",)),
    )
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"TIFF with {name}", made(saved(SHOWN, "TIFF", compression=name))
    yield "TIFF of a fax", made(
        saved(Image.fromarray(BITS * 255).convert("1"), "TIFF", compression="group4"),
        shows=grey_rgb(BITS * 255), traits=("grey",),
    )  # fmt: skip
    yield "TIFF that contains a JPEG", made(saved(SHOWN, "TIFF", compression="jpeg", quality=95), differs=LOSSY)
    yield "TIFF whose directory is its own next", made(_circular(tiff_of(scene())))
    yield "BigTIFF", made(saved(SHOWN, "TIFF", big_tiff=True))


def _circular(data: bytes) -> bytes:
    at = int.from_bytes(data[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    return data[:end] + struct.pack("<I", at) + data[end + 4 :]
