package dev.holdfast.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Selector;
import dev.holdfast.inventory.Model;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import dev.holdfast.web.Schema;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Device models.
final class ModelsEndpoint {
    private final Rooms rooms;

    ModelsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listModels",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "models",
                        rooms.inventory().models(call.environment()).stream()
                                .map(this::fields)
                                .toList())));
        handlers.on("getModel", Scope.READ, call -> {
            Model model = find(call).orElseThrow(() -> Problem.notFound("model " + call.id()));
            return Reply.ok(fields(model)).etag(etag(model));
        });
        handlers.on("putModel", Scope.DEVICES_WRITE, this::put);
    }

    private Optional<Model> find(Call call) {
        return rooms.inventory().model(call.environment(), id(call));
    }

    private static ModelId id(Call call) {
        try {
            return new ModelId(call.id());
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("id", String.valueOf(e.getMessage()));
        }
    }

    private Reply put(Call call) {
        Optional<Model> before = find(call);
        if (call.headers().containsKey("if-match")) {
            call.checkIfMatch(before.map(ModelsEndpoint::etag).orElse("\"none\""));
        }
        Model model = model(call);
        rooms.inventory().putModel(model, call.actor());
        return Reply.json(before.isPresent() ? 200 : 201, fields(model)).etag(etag(model));
    }

    private static Model model(Call call) {
        Map<String, Model.Band> bands = new HashMap<>();
        call.body().path("bands").properties().forEach(band -> {
            JsonNode b = band.getValue();
            double min = b.path("min").asDouble();
            double max = b.path("max").asDouble();
            if (!(min <= max)) {
                throw Problem.malformed("/bands/" + Schema.shown(band.getKey()), "min is more than max");
            }
            bands.put(band.getKey(), new Model.Band(min, max, b.path("unit").asText()));
        });
        List<Model.AllowedFlow> flows = new ArrayList<>();
        call.body()
                .path("allowedFlows")
                .forEach(f -> flows.add(new Model.AllowedFlow(
                        network(f.path("network").asText(), flows.size()),
                        f.path("protocol").asText(),
                        f.path("port").asInt())));
        Map<String, String> desired = new HashMap<>();
        call.body()
                .path("desiredConfiguration")
                .properties()
                .forEach(setting ->
                        desired.put(setting.getKey(), setting.getValue().asText()));
        try {
            return new Model(
                    call.environment(),
                    id(call),
                    call.required("vendor"),
                    call.required("hardware"),
                    call.duration("expectedInterval", Duration.ofDays(366)).orElseThrow(),
                    bands,
                    flows,
                    desired);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/", String.valueOf(e.getMessage()));
        }
    }

    private static String network(String text, int index) {
        if (!text.matches("([0-9]{1,3}(\\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2]))|([0-9a-fA-F:]{2,39}/[0-9]{1,3})")) {
            throw Problem.malformed(
                    "/allowedFlows/" + index + "/network", "is not a CIDR prefix such as 10.0.0.0/24 or fd00::/8");
        }
        return text;
    }

    static String etag(Model model) {
        return Call.etag(
                model.vendor(),
                model.hardware(),
                model.expectedInterval().toString(),
                model.bands(),
                model.allowedFlows(),
                model.desiredConfiguration());
    }

    private Fields fields(Model model) {
        Map<String, Fields> bands = new HashMap<>();
        model.bands().forEach((metric, band) -> bands.put(metric, band(band)));
        return Fields.of("id", model.id().value())
                .with("environment", model.environment().value())
                .with("vendor", model.vendor())
                .with("hardware", model.hardware())
                .with("expectedInterval", model.expectedInterval().toString())
                .with("bands", bands)
                .with(
                        "allowedFlows",
                        model.allowedFlows().stream()
                                .map(f -> Fields.of("network", f.network())
                                        .with("protocol", f.protocol())
                                        .with("port", f.port()))
                                .toList())
                .with("desiredConfiguration", model.desiredConfiguration())
                .with(
                        "devices",
                        rooms.inventory()
                                .count(
                                        model.environment(),
                                        new Selector(List.of(new Selector.Requirement.In(
                                                "model", Set.of(model.id().value()))))));
    }

    static Fields band(Model.Band band) {
        return Fields.of("min", band.min()).with("max", band.max()).with("unit", band.unit());
    }
}
