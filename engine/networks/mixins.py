"""What makes a torch module a model with a config and weights on disk, from diffusers.

It is imported here and nowhere else: diffusers finds its parts when they are first asked for, and
two threads that ask at once get half a module. Python lets one thread at a time import this file.
"""

from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config

__all__ = ["ConfigMixin", "ModelMixin", "register_to_config"]
