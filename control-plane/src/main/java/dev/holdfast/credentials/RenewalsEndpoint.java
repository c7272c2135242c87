package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.ca.CertificateLifecycle;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Selector;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Device;
import dev.holdfast.rotation.Campaign;
import dev.holdfast.rotation.Chosen;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Renewal ahead of time, and the way back from a renewal.
final class RenewalsEndpoint {
    private static final int PAGE = 10_000;
    private static final int MOST_DEVICES = 2_000_000;

    private final Rooms rooms;

    RenewalsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listRenewalCampaigns",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "campaigns",
                        rooms.renewals().campaigns(call.environment(), call.limit()).stream()
                                .map(RenewalsEndpoint::fields)
                                .toList())));
        handlers.on("getRenewalCampaign", Scope.READ, call -> Reply.ok(fields(find(call))));
        handlers.on("startRenewalCampaign", Scope.IDENTITY_WRITE, this::start);
        handlers.on("stopRenewalCampaign", Scope.IDENTITY_WRITE, call -> {
            if (!rooms.renewals().stop(call.environment(), call.id(), call.reason(), call.actor())) {
                throw find(call).stoppedAt().isPresent()
                        ? Problem.conflict("the campaign was stopped already")
                        : Problem.notFound("renewal campaign " + call.id());
            }
            return Reply.ok(fields(find(call)));
        });
        handlers.on("rollBackCertificate", Scope.IDENTITY_WRITE, this::rollBack);
    }

    private Campaign find(Call call) {
        return rooms.renewals()
                .campaign(call.environment(), call.id())
                .orElseThrow(() -> Problem.notFound("renewal campaign " + call.id()));
    }

    private Reply start(Call call) {
        int perHour = call.body().path("perHour").asInt(rooms.renewals().capacityPerHour());
        Campaign campaign =
                rooms.renewals().start(call.environment(), chosen(call), perHour, call.reason(), call.actor());
        return Reply.created(fields(campaign));
    }

    /// Exactly one of `all`, `authority`, `serial`, `device`, `selector` says which certificates are meant.
    private Chosen chosen(Call call) {
        List<Chosen> said = new ArrayList<>();
        if (call.body().path("all").asBoolean(false)) {
            said.add(new Chosen.All());
        }
        call.optional("authority").ifPresent(id -> said.add(new Chosen.OfAuthority(id)));
        call.optional("serial").ifPresent(serial -> said.add(new Chosen.One(serial(serial))));
        call.optional("device")
                .ifPresent(id -> said.add(new Chosen.OfDevices(
                        List.of(DeviceRef.of(call.environment().value(), id)))));
        call.optional("selector").ifPresent(text -> said.add(new Chosen.OfDevices(devices(call, text))));
        if (said.size() != 1) {
            throw Problem.malformed("/", "needs exactly one of all, authority, serial, device, selector");
        }
        return said.getFirst();
    }

    private static Serial serial(String text) {
        try {
            return Serial.parse(text);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/serial", "is not a serial number in hexadecimal");
        }
    }

    private List<DeviceRef> devices(Call call, String text) {
        Selector selector;
        try {
            selector = Selector.parse(text);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/selector", String.valueOf(e.getMessage()));
        }
        List<DeviceRef> all = new ArrayList<>();
        List<Device> page;
        String after = "";
        do {
            page = rooms.inventory().list(call.environment(), selector, "", after, PAGE);
            page.forEach(device -> all.add(device.ref()));
            after = page.isEmpty() ? after : page.getLast().ref().id().value();
        } while (page.size() == PAGE && all.size() < MOST_DEVICES);
        return all;
    }

    private Reply rollBack(Call call) {
        Optional<Device> device = rooms.inventory().find(call.device());
        if (device.isEmpty()) {
            throw Problem.notFound("device " + call.id());
        }
        return switch (rooms.identity().rollBack(call.device(), call.reason(), call.actor())) {
            case CertificateLifecycle.RolledBack.Done done ->
                Reply.ok(Fields.of("device", call.id())
                        .with("ended", done.ended().hex())
                        .with("restored", done.restored().hex()));
            case CertificateLifecycle.RolledBack.NothingToGoBackTo _ ->
                throw Problem.conflict("the certificate before the current one does not count any more: going back is"
                        + " possible while the profile's overlap lasts; enrol the device again instead");
        };
    }

    private static Fields fields(Campaign campaign) {
        return Fields.of("id", campaign.id())
                .with("environment", campaign.environment().value())
                .with("reason", campaign.reason())
                .with("startedBy", campaign.startedBy())
                .with("startedAt", campaign.startedAt())
                .with("perHour", campaign.perHour())
                .with("total", campaign.total())
                .with("told", campaign.told())
                .with("done", campaign.done())
                .with("toldBy", campaign.toldBy())
                .with("plannedAt", campaign.plannedAt())
                .with("stoppedAt", campaign.stoppedAt());
    }
}
