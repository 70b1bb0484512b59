"""Pulumi's provider protocol over gRPC, for any Package."""

import json
from collections.abc import Callable
from concurrent import futures
from functools import wraps
from typing import Any

import grpc
import structlog
from google.protobuf import empty_pb2
from pulumi.runtime.proto import errors_pb2, plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2  # noqa: F401

from localcloud.provider.api import Api
from localcloud.provider.errors import PartlyMade, ProviderError
from localcloud.provider.package import Package
from localcloud.provider.schema import schema_of
from localcloud.provider.unheard import Made, Unheard
from localcloud.provider.values import Properties, from_struct, to_struct

log = structlog.get_logger()
MESSAGE_BYTES = 400 * 1024 * 1024  # what the engine itself allows


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what a provider raises into the status that the engine shows as one line."""

    @wraps(method)
    def answer(self: "ProviderServicer", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except PartlyMade as error:
            _abort_partly(context, error)
        except ProviderError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Exception as error:
            log.exception("provider call failed", method=method.__name__, urn=getattr(request, "urn", ""))
            line = f"the embedded provider failed: {type(error).__name__}: {error} (see `teal local logs`)"
            context.abort(grpc.StatusCode.INTERNAL, line)

    return answer


def _abort_partly(context: grpc.ServicerContext, error: PartlyMade) -> None:
    """Fails, and hands over what exists so that the engine keeps it (ErrorResourceInitFailed)."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=to_struct(error.outputs),
        inputs=to_struct(error.inputs),
        reasons=[str(error)],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


class ProviderServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one package. The engine configures it anew for every run; the API's clients are kept between runs."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._unheard = Unheard()
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        """The API as last configured. Raises ProviderError before that."""
        if self._api is None:
            raise ProviderError(f"provider {self.package.name} is not configured yet")
        return self._api

    @answering
    def Attach(self, request: Any) -> Any:
        """The engine announces itself to a provider that it did not start."""
        return empty_pb2.Empty()

    @answering
    def Cancel(self, request: Any) -> Any:
        """Nothing to stop: every call is bounded by the client's own deadlines."""
        return empty_pb2.Empty()

    @answering
    def GetPluginInfo(self, request: Any) -> Any:
        """Name the version, which the engine writes into the state."""
        return plugin_pb2.PluginInfo(version=self.package.version)

    @answering
    def GetSchema(self, request: Any) -> Any:
        """The schema that other languages' hosts read."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema_of(self.package)))

    @answering
    def CheckConfig(self, request: Any) -> Any:
        """Accepts what Configure will read."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(self, request: Any) -> Any:
        """Another region is another provider."""
        olds, news = from_struct(request.old_inputs), from_struct(request.news)
        differs = olds.get("region") != news.get("region")
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some if differs else none, replaces=["region"] if differs else [])

    @answering
    def Configure(self, request: Any) -> Any:
        """Points the provider at the API."""
        self._api = self.package.configure(from_struct(request.args))
        # Secrets are taken in clear: then the engine itself marks the outputs that answer to secret inputs.
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True, acceptResources=False)

    @answering
    def Check(self, request: Any) -> Any:
        """Defaults and refusals."""
        kind, olds = self.package.type_of(request.urn), from_struct(request.olds)
        self._unheard.heard_of(request.urn, inputs=olds)
        checked = kind.check(request.urn, from_struct(request.news), olds, request.randomSeed)
        failures = [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in checked.failures]
        return provider_pb2.CheckResponse(inputs=to_struct(checked.inputs), failures=failures)

    @answering
    def Diff(self, request: Any) -> Any:
        """What changes, and what of that needs a new resource."""
        olds, news = from_struct(request.old_inputs), from_struct(request.news)
        found = self.package.type_of(request.urn).diff(olds, news, frozenset(request.ignoreChanges))
        response = provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found.changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=list(found.changed),
            replaces=list(found.replaces),
            deleteBeforeReplace=found.deletes_first,
            hasDetailedDiff=True,
        )
        for name in found.changed:
            response.detailedDiff[name].CopyFrom(_property_diff(name, olds, news, name in found.replaces))
        return response

    @answering
    def Create(self, request: Any) -> Any:
        """Makes a resource, or says what a preview can know of it."""
        kind, inputs = self.package.type_of(request.urn), from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(kind.planned(inputs)))
        self._unheard.take_back(self.api, request.urn)
        resource_id, outputs = kind.create(self.api, inputs)
        self._unheard.remember(request.urn, Made(kind, resource_id, inputs, outputs))
        return provider_pb2.CreateResponse(id=resource_id, properties=to_struct(outputs))

    @answering
    def Read(self, request: Any) -> Any:
        """The resource as it is; an empty answer when it is gone."""
        kind = self.package.type_of(request.urn)
        self._unheard.heard_of(request.urn, resource_id=request.id)
        found = kind.read(self.api, request.id, from_struct(request.inputs), from_struct(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_struct(found.outputs), inputs=to_struct(found.inputs)
        )

    @answering
    def Update(self, request: Any) -> Any:
        """Applies changes in place, or says what a preview can know."""
        kind, news = self.package.type_of(request.urn), from_struct(request.news)
        olds, state = from_struct(request.old_inputs), from_struct(request.olds)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct(kind.planned(news, state)))
        outputs = kind.update(self.api, request.id, olds, news, state)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @answering
    def Delete(self, request: Any) -> Any:
        """Removes a resource."""
        kind = self.package.type_of(request.urn)
        self._unheard.heard_of(request.urn, resource_id=request.id)
        kind.delete(self.api, request.id, from_struct(request.old_inputs), from_struct(request.properties))
        return empty_pb2.Empty()

    @answering
    def Invoke(self, request: Any) -> Any:
        """Answers a lookup."""
        result = self.package.lookup(request.tok).answer(self.api, from_struct(request.args))
        return provider_pb2.InvokeResponse(**{"return": to_struct(result)})


def _property_diff(name: str, olds: Properties, news: Properties, is_replacing: bool) -> Any:
    kinds = provider_pb2.PropertyDiff
    if name not in olds:
        kind = kinds.ADD_REPLACE if is_replacing else kinds.ADD
    elif name not in news:
        kind = kinds.DELETE_REPLACE if is_replacing else kinds.DELETE
    else:
        kind = kinds.UPDATE_REPLACE if is_replacing else kinds.UPDATE
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=True)


def serve(package: Package) -> tuple[grpc.Server, int]:
    """Starts a server for the package on a free loopback port; returns it and the port."""
    limits = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16, thread_name_prefix=package.name), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderServicer(package), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
