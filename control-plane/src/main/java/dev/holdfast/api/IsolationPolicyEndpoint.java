package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.response.Limits;
import dev.holdfast.response.NeverIsolate;
import dev.holdfast.response.Outcome;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// How far automatic isolation may go: whom never, and how many before a person is asked.
final class IsolationPolicyEndpoint {
    private static final Duration LONGEST_WINDOW = Duration.ofDays(7);

    private final Rooms rooms;

    IsolationPolicyEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "getNeverIsolate",
                Scope.READ,
                call -> neverIsolate(call, rooms.response().neverIsolate(call.environment())));
        handlers.on("putNeverIsolate", Scope.SETTINGS_WRITE, this::putNeverIsolate);
        handlers.on("getIsolationLimits", Scope.READ, this::limits);
        handlers.on("setIsolationLimits", Scope.SETTINGS_WRITE, this::setLimits);
    }

    private Reply limits(Call call) {
        Limits limits = rooms.response().limits(call.environment());
        long population = rooms.inventory().count(call.environment(), dev.holdfast.core.Selector.parse(""));
        return Reply.ok(Fields.of("share", limits.share())
                .with("most", limits.most())
                .with("window", limits.window().toString())
                .with("allowance", limits.allowance(population)));
    }

    private Reply setLimits(Call call) {
        Limits limits = new Limits(
                call.body().get("share").asDouble(),
                call.body().get("most").asInt(),
                call.duration("window", LONGEST_WINDOW).orElseThrow());
        rooms.response().setLimits(call.environment(), limits, call.reason(), call.actor());
        return limits(call);
    }

    private Reply neverIsolate(Call call, NeverIsolate list) {
        long devices = list.rules().stream()
                .mapToLong(rule -> rooms.inventory().count(call.environment(), rule.selector()))
                .sum();
        return Reply.ok(Fields.of(
                                "selectors",
                                list.rules().stream()
                                        .map(NeverIsolate.Rule::text)
                                        .toList())
                        .with("devices", devices)
                        .with("etag", etag(list)))
                .etag(etag(list));
    }

    private static String etag(NeverIsolate list) {
        return "\"n" + list.revision() + "\"";
    }

    private Reply putNeverIsolate(Call call) {
        NeverIsolate before = rooms.response().neverIsolate(call.environment());
        call.checkIfMatch(etag(before));
        List<String> selectors = new ArrayList<>();
        call.body().path("selectors").forEach(s -> selectors.add(s.asText()));
        selectors.forEach(s -> Call.selector("/selectors", s));
        Outcome<NeverIsolate> outcome = rooms.response()
                .setNeverIsolate(call.environment(), selectors, before.revision(), call.reason(), call.actor());
        if (outcome instanceof Outcome.Conflict<NeverIsolate> conflict) {
            throw new Problem(ProblemType.CHANGED_MEANWHILE, conflict.why());
        }
        return neverIsolate(call, rooms.response().neverIsolate(call.environment()));
    }
}
