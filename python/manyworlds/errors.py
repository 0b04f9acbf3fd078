"""What can go wrong. Every text names the thing, the value and the remedy."""

__all__ = ["ClosedError", "DeviceError", "Error", "FileError", "InternalError", "TrainingError", "UsageError"]


class Error(Exception):
    """Everything that this package raises by itself."""


class UsageError(Error, ValueError):
    """An argument, a setting or an environment that cannot be used."""


class FileError(Error, OSError):
    """A file that cannot be read or written."""


class DeviceError(Error, RuntimeError):
    """No device, a device that was lost, or one that belongs to another process."""


class TrainingError(Error, ArithmeticError):
    """Training that met numbers which are not finite, or loops that do not end."""


class InternalError(Error, RuntimeError):
    """A fault of this package: please report it."""


class ClosedError(Error, RuntimeError):
    """Something that was used after it was closed."""
