"""Models of options, whose errors are sentences."""

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from rnnlab.support.errors import UserError
from rnnlab.support.option_errors import explain

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

# Unknown options and values of another type are errors.
STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class OptionError(UserError, ValueError):
    """An option is unknown, or its value is not valid."""


class _Explained(ModelMetaclass):
    """Says in a sentence what is wrong with the options of ``LSTM(hiden=8)``.

    ``model_validate``, by which configs are read, raises pydantic's error, which names no file.
    """

    def __call__(cls, *values: Any, **options: Any) -> Any:
        model, name = cast(type[BaseModel], cls), cls.__name__
        if values and model.__init__ is BaseModel.__init__:
            first = next(iter(model.model_fields), "option")
            raise OptionError(f"{name}: options are given by name, as in {name}({first}=…)")
        try:
            return super().__call__(*values, **options)
        except ValidationError as error:
            raise OptionError(explain(error, model, name, is_yaml=False)) from None


class Options(BaseModel, metaclass=_Explained):
    """Options with types, bounds and defaults; a wrong one is an ``OptionError``."""

    model_config = STRICT
