"""Makes the package stand alone: every library that the module needs is copied into it under a name of its own.

A process has one library per SONAME. pyarrow brings a libarrow too, perhaps of another version, so ours get names
that nobody else has (as auditwheel does), and are found beside the module, wherever that is. What a library shares
across the whole process by design (STB_GNU_UNIQUE symbols) becomes ordinary.

Whoever passes a library on passes on its licence and notices: they lie in libraries/licences, as the library's own package has them.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import struct
import subprocess

# Of the system, and compatible upwards; everything else is brought along.
OF_THE_SYSTEM = re.compile(r"(linux-vdso|ld-linux.*|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+)\.so.*")


def needed(file: pathlib.Path) -> dict[str, pathlib.Path]:
    """Name → path of every library that is loaded with the file, directly or not."""
    lines = subprocess.run(["ldd", file], check=True, capture_output=True, text=True).stdout.splitlines()
    found = {}
    for line in lines:
        if "not found" in line:
            raise SystemExit(f"bundle: {line.strip()}")
        if match := re.match(r"\s*(\S+) => (\S+)", line):
            found[match[1]] = pathlib.Path(match[2])
    return {name: path for name, path in found.items() if not OF_THE_SYSTEM.fullmatch(name)}


def own_name(name: str, path: pathlib.Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    stem, _, rest = name.partition(".so")
    return f"{stem}-chandler-{digest}.so{rest}"


def make_unique_symbols_weak(file: pathlib.Path) -> None:
    """ELF64, little-endian: in .dynsym the binding STB_GNU_UNIQUE (10) becomes STB_WEAK (2)."""
    image = bytearray(file.read_bytes())
    sections, entry_size, count = struct.unpack_from("<Q", image, 0x28)[0], *struct.unpack_from("<HH", image, 0x3A)
    for i in range(count):
        at = sections + i * entry_size
        kind = struct.unpack_from("<I", image, at + 4)[0]
        offset, size = struct.unpack_from("<QQ", image, at + 24)
        if kind != 11:  # SHT_DYNSYM
            continue
        for symbol in range(offset, offset + size, 24):
            if image[symbol + 4] >> 4 == 10:
                image[symbol + 4] = 2 << 4 | image[symbol + 4] & 0xF
    file.write_bytes(image)


def licences_of(library: pathlib.Path) -> tuple[str, list[pathlib.Path]]:
    """The package that a library is of, and its licence's files: of the wheel that it was unpacked from, or of Debian."""
    library = library.resolve()
    for folder in library.parents:
        if files := sorted(folder.glob("*.dist-info/licenses/*")):
            return files[0].parts[-3].partition("-")[0], files
    # Debian 12 calls files below /usr/lib /lib, where they were before.
    asked = subprocess.run(["dpkg", "-S", f"*/{library.name}"], capture_output=True, text=True).stdout
    package = asked.partition(":")[0]
    copyright = pathlib.Path("/usr/share/doc") / package / "copyright"
    if not package or not copyright.is_file():
        raise SystemExit(f"bundle: {library} has no licence beside it that could be passed on")
    return package, [copyright]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--patchelf", required=True)
    parser.add_argument("--built", type=pathlib.Path, required=True, help="the module where it was linked")
    parser.add_argument("--package", type=pathlib.Path, required=True, help="the package's folder, with the module in it")
    options = parser.parse_args()

    folder = options.package / "libraries"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    libraries = needed(options.built)
    names = {name: own_name(name, path) for name, path in libraries.items()}
    for name, path in libraries.items():
        copy = folder / names[name]
        shutil.copyfile(path, copy)
        os.chmod(copy, 0o755)
        subprocess.run([options.patchelf, "--set-soname", names[name], "--set-rpath", "$ORIGIN",
                        *replacements(options.patchelf, copy, names), copy], check=True)
        make_unique_symbols_weak(copy)
        package, licences = licences_of(path)
        (folder / "licences" / package).mkdir(parents=True, exist_ok=True)
        for licence in licences:
            shutil.copyfile(licence, folder / "licences" / package / licence.name)
    module = options.package / options.built.name
    subprocess.run([options.patchelf, "--set-rpath", "$ORIGIN/libraries",
                    *replacements(options.patchelf, module, names), module], check=True)


def replacements(patchelf: str, file: pathlib.Path, names: dict[str, str]) -> list[str]:
    direct = subprocess.run([patchelf, "--print-needed", file], check=True, capture_output=True, text=True).stdout.split()
    return [word for name in direct if name in names for word in ("--replace-needed", name, names[name])]


if __name__ == "__main__":
    main()
