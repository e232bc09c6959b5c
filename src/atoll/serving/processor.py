"""What this machine's processor is good at."""

from __future__ import annotations

from pathlib import Path

#: Processor flags that make bf16 faster than fp32; without one it is slower.
_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
_CPUINFO = Path("/proc/cpuinfo")


def bf16_hardware(cpuinfo: Path = _CPUINFO) -> bool:
    """Return whether the processor multiplies bf16 matrices in hardware (AMX or AVX512-BF16)."""
    if not cpuinfo.is_file():
        return False
    for line in cpuinfo.read_text().splitlines():
        if line.startswith("flags"):
            return not _FLAGS.isdisjoint(line.split())
    return False
