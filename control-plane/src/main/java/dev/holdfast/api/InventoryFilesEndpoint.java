package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.DeviceOrder;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.web.BodyStream;
import dev.holdfast.web.Call;
import dev.holdfast.web.CsvReader;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.ImportReport;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import dev.holdfast.web.Schema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The inventory as CSV, in and out.
final class InventoryFilesEndpoint {
    private static final int LARGEST = 32 << 20;
    private static final int AT_ONCE = 200;
    private static final int PAGE = 2_000;
    /// Written for people, and passed over when the file comes back: only devices themselves can change these.
    private static final Set<String> WRITTEN_ONLY = Set.of("state", "firmware", "lastContact", "risk", "riskReasons");

    private final Rooms rooms;

    InventoryFilesEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("exportDevices", Scope.READ, this::export);
        handlers.on("importDevices", Scope.DEVICES_WRITE, this::read);
    }

    // ------------------------------------------------------------------ out

    private Reply export(Call call) {
        Set<String> keys = new TreeSet<>();
        pages(call, device -> keys.addAll(device.labels().values().keySet()));
        List<String> header = new ArrayList<>(
                List.of("id", "model", "state", "firmware", "lastContact", "risk", "riskReasons", "reachesVia"));
        keys.forEach(key -> header.add("label." + key));
        return Reply.download("text/csv; charset=utf-8", "devices.csv", out -> {
            out.write((String.join(",", header) + "\r\n").getBytes(StandardCharsets.UTF_8));
            pages(call, device -> out.write((row(device, keys) + "\r\n").getBytes(StandardCharsets.UTF_8)));
        });
    }

    private interface Each<E extends Exception> {
        void device(Device device) throws E;
    }

    private <E extends Exception> void pages(Call call, Each<E> each) throws E {
        Optional<DeviceOrder.Position> after = Optional.empty();
        List<Device> page;
        do {
            page = rooms.inventory().list(call.environment(), call.selector(), "", DeviceOrder.BY_ID, after, PAGE);
            for (Device device : page) {
                each.device(device);
            }
            after = page.isEmpty() ? after : Optional.of(DeviceOrder.BY_ID.positionOf(page.getLast()));
        } while (page.size() == PAGE);
    }

    private static String row(Device device, Set<String> keys) {
        List<String> fields = new ArrayList<>(List.of(
                device.ref().id().value(),
                device.model().value(),
                device.state().text(),
                device.firmware().map(FirmwareVersion::value).orElse(""),
                device.lastContact().map(Instant::toString).orElse(""),
                device.risk().level().name().toLowerCase(Locale.ROOT),
                String.join("; ", device.risk().reasons()),
                device.reachesVia().map(DeviceId::value).orElse("")));
        keys.forEach(key -> fields.add(device.labels().get(key).orElse("")));
        return String.join(",", fields.stream().map(CsvReader::written).toList());
    }

    // ------------------------------------------------------------------ in

    /// A line that could be read.
    private record Wish(int line, Inventory.Registration registration) {}

    /// Good lines are registered, in batches, each journalled; bad ones are named. A file with bad lines can be sent
    /// again after it was mended: what is there already counts as unchanged.
    private Reply read(Call call) throws IOException {
        ((BodyStream) call.stream()).limit(LARGEST);
        boolean dryRun = call.flag("dryRun");
        ImportReport report = new ImportReport();
        try {
            CsvReader csv = new CsvReader(call.stream());
            List<String> header = header(csv.next().orElseThrow(() -> Problem.malformed("line 1", "is missing")));
            List<Wish> batch = new ArrayList<>();
            Set<String> ids = new HashSet<>();
            for (Optional<CsvReader.Row> row = csv.next(); row.isPresent(); row = csv.next()) {
                if (row.get().fields().equals(List.of(""))) {
                    continue;
                }
                report.read();
                try {
                    Wish wish = wish(call, header, row.get());
                    if (!ids.add(wish.registration().ref().id().value())) {
                        throw new IllegalArgumentException("the id stands in this file twice");
                    }
                    batch.add(wish);
                } catch (IllegalArgumentException e) {
                    report.rejected(row.get().line(), String.valueOf(e.getMessage()));
                }
                if (batch.size() == AT_ONCE) {
                    apply(call, batch, report, dryRun);
                    batch.clear();
                }
            }
            apply(call, batch, report, dryRun);
        } catch (java.nio.charset.CharacterCodingException e) {
            throw Problem.malformed("/", "is not UTF-8");
        }
        return report.reply();
    }

    private static List<String> header(CsvReader.Row row) {
        List<String> header = new ArrayList<>(row.fields());
        header.set(0, header.getFirst().replace("\ufeff", ""));
        List<Problem.Fault> faults = new ArrayList<>();
        for (String column : header) {
            if (!Set.of("id", "model", "reachesVia").contains(column)
                    && !WRITTEN_ONLY.contains(column)
                    && !column.startsWith("label.")) {
                faults.add(new Problem.Fault(
                        "line 1",
                        "column '" + Schema.shown(column)
                                + "' is not known; known: id, model, reachesVia, label.<key>"));
            }
        }
        if (!header.contains("id") || !header.contains("model")) {
            faults.add(new Problem.Fault("line 1", "columns id and model are needed"));
        }
        if (new HashSet<>(header).size() != header.size()) {
            faults.add(new Problem.Fault("line 1", "a column stands there twice"));
        }
        if (!faults.isEmpty()) {
            throw Problem.malformed(faults);
        }
        return header;
    }

    private static Wish wish(Call call, List<String> header, CsvReader.Row row) {
        if (row.fields().size() != header.size()) {
            throw new IllegalArgumentException(
                    "has " + row.fields().size() + " fields, the header has " + header.size());
        }
        Map<String, String> labels = new HashMap<>();
        Map<String, String> own = new HashMap<>();
        for (int i = 0; i < header.size(); i++) {
            String value = CsvReader.plain(row.fields().get(i).strip());
            if (header.get(i).startsWith("label.")) {
                if (!value.isEmpty()) {
                    labels.put(header.get(i).substring("label.".length()), value);
                }
            } else {
                own.put(header.get(i), value);
            }
        }
        String via = own.getOrDefault("reachesVia", "");
        return new Wish(
                row.line(),
                new Inventory.Registration(
                        new DeviceRef(call.environment(), new DeviceId(own.getOrDefault("id", ""))),
                        new ModelId(own.getOrDefault("model", "")),
                        new Labels(labels),
                        via.isEmpty() ? Optional.empty() : Optional.of(new DeviceId(via)),
                        Lifecycle.REGISTERED));
    }

    private void apply(Call call, List<Wish> batch, ImportReport report, boolean dryRun) {
        if (batch.isEmpty()) {
            return;
        }
        List<Inventory.Registered> outcomes = dryRun
                ? batch.stream().map(w -> wouldBecome(w.registration())).toList()
                : rooms.journal().commit(tx -> {
                    List<Inventory.Registered> done = new ArrayList<>(batch.size());
                    for (Wish wish : batch) {
                        done.add(rooms.inventory().register(tx, wish.registration(), call.actor()));
                    }
                    return done;
                });
        for (int i = 0; i < batch.size(); i++) {
            Wish wish = batch.get(i);
            switch (outcomes.get(i)) {
                case Inventory.Registered.Created _ -> report.accepted();
                case Inventory.Registered.UnknownModel unknown ->
                    report.rejected(wish.line(), "there is no model " + unknown.model());
                case Inventory.Registered.Exists exists -> {
                    if (exists.device().model().equals(wish.registration().model())
                            && exists.device()
                                    .labels()
                                    .equals(wish.registration().labels())) {
                        report.unchanged();
                    } else {
                        report.rejected(
                                wish.line(),
                                "device " + wish.registration().ref().id()
                                        + " is registered already, with another model or other labels");
                    }
                }
            }
        }
    }

    private Inventory.Registered wouldBecome(Inventory.Registration wish) {
        if (rooms.inventory().model(wish.ref().environment(), wish.model()).isEmpty()) {
            return new Inventory.Registered.UnknownModel(wish.model());
        }
        return rooms.inventory()
                .find(wish.ref())
                .<Inventory.Registered>map(Inventory.Registered.Exists::new)
                .orElseGet(() -> new Inventory.Registered.Created(
                        Inventory.unsaved(wish, rooms.clock().instant())));
    }
}
