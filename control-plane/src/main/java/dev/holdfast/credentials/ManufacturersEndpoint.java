package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.web.BodyStream;
import dev.holdfast.web.Call;
import dev.holdfast.web.CsvReader;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.ImportReport;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import dev.holdfast.web.Schema;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Manufacturers whose initial identities count, and which of their products is which device of ours.
final class ManufacturersEndpoint {
    private static final int LARGEST = 32 << 20;
    private static final int AT_ONCE = 200;
    private static final Set<String> COLUMNS = Set.of("serialNumber", "device", "model");

    private final Rooms rooms;

    ManufacturersEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listManufacturerAnchors",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "anchors",
                        rooms.identity().manufacturers().anchors().stream()
                                .filter(a -> a.environment().equals(call.environment()))
                                .map(ManufacturersEndpoint::anchor)
                                .toList())));
        handlers.on("addManufacturerAnchor", Scope.SETTINGS_WRITE, this::addAnchor);
        handlers.on("removeManufacturerAnchor", Scope.SETTINGS_WRITE, call -> {
            if (!rooms.identity().manufacturers().withdrawAnchor(call.id(), "removed by an operator", call.actor())) {
                throw Problem.notFound("manufacturer anchor " + call.id());
            }
            return Reply.nothing(204);
        });
        handlers.on("registerManufacturerSerials", Scope.IDENTITY_WRITE, this::serials);
        handlers.on("importManufacturerSerials", Scope.IDENTITY_WRITE, this::read);
    }

    private Reply addAnchor(Call call) {
        X509Certificate certificate;
        try {
            List<X509Certificate> read = Certificates.parsePem(call.required("pem"));
            if (read.size() != 1) {
                throw Problem.malformed("/pem", "should hold one certificate, holds " + read.size());
            }
            certificate = read.getFirst();
        } catch (X509FormatException e) {
            throw Problem.malformed("/pem", "is not a PEM certificate: " + e.getMessage());
        }
        Manufacturers.Unregistered unregistered = Manufacturers.Unregistered.parse(
                        call.optional("unregistered").orElse("refused"))
                .orElse(Manufacturers.Unregistered.REFUSED);
        return switch (rooms.identity()
                .manufacturers()
                .registerAnchor(
                        call.environment(), call.required("name").strip(), certificate, unregistered, call.actor())) {
            case Manufacturers.AnchorRegistered.Registered registered -> Reply.created(anchor(registered.anchor()));
            case Manufacturers.AnchorRegistered.NotAnAuthority _ ->
                throw Problem.malformed("/pem", "is not a certification authority's certificate");
        };
    }

    private static Fields anchor(Manufacturers.Anchor anchor) {
        return Fields.of("id", anchor.id())
                .with("name", anchor.name())
                .with("subject", anchor.certificate().getSubjectX500Principal().getName())
                .with("sha256", anchor.id())
                .with("unregistered", anchor.unregistered().text())
                .with("notAfter", anchor.certificate().getNotAfter().toInstant());
    }

    /// With one anchor in the environment its serials are meant; with several the caller names it.
    private Manufacturers.Anchor anchor(Call call, Optional<String> named) {
        List<Manufacturers.Anchor> anchors = rooms.identity().manufacturers().anchors().stream()
                .filter(a -> a.environment().equals(call.environment()))
                .filter(a -> named.isEmpty() || a.id().equals(named.get()))
                .toList();
        if (anchors.size() != 1) {
            throw anchors.isEmpty()
                    ? Problem.conflict("no such manufacturer anchor is registered in this environment; add it first")
                    : Problem.malformed("/anchor", "is needed: this environment has more than one anchor");
        }
        return anchors.getFirst();
    }

    // ------------------------------------------------------------------ serials

    /// @param model of a device that is registered with its serial where it is not there yet
    private record Product(int line, String serial, DeviceRef device, Optional<ModelId> model) {
        Product {
            if (!Manufacturers.isProduct(serial)) {
                throw new IllegalArgumentException("a product serial is printable ASCII, at most 64 characters");
            }
        }
    }

    private Reply serials(Call call) {
        Manufacturers.Anchor anchor = anchor(call, call.optional("anchor"));
        ImportReport report = new ImportReport();
        List<Product> products = new ArrayList<>();
        int line = 0;
        for (var serial : call.body().path("serials")) {
            line++;
            report.read();
            try {
                products.add(new Product(
                        line,
                        serial.path("serialNumber").asText(),
                        new DeviceRef(
                                call.environment(),
                                new DeviceId(serial.path("device").asText())),
                        Optional.empty()));
            } catch (IllegalArgumentException e) {
                report.rejected(line, String.valueOf(e.getMessage()));
            }
        }
        apply(call, anchor, products, report);
        return report.reply();
    }

    /// A factory's file: good lines are applied, in batches, each journalled; bad ones are named. What is
    /// there already counts as unchanged, so that a file may be sent again after it was mended.
    private Reply read(Call call) throws IOException {
        ((BodyStream) call.stream()).limit(LARGEST);
        Manufacturers.Anchor anchor = anchor(call, call.text("anchor"));
        ImportReport report = new ImportReport();
        try {
            CsvReader csv = new CsvReader(call.stream());
            List<String> header = header(csv.next().orElseThrow(() -> Problem.malformed("line 1", "is missing")));
            List<Product> batch = new ArrayList<>();
            for (Optional<CsvReader.Row> row = csv.next(); row.isPresent(); row = csv.next()) {
                if (row.get().fields().equals(List.of(""))) {
                    continue;
                }
                report.read();
                try {
                    batch.add(product(call, header, row.get()));
                } catch (IllegalArgumentException e) {
                    report.rejected(row.get().line(), String.valueOf(e.getMessage()));
                }
                if (batch.size() == AT_ONCE) {
                    apply(call, anchor, batch, report);
                    batch.clear();
                }
            }
            apply(call, anchor, batch, report);
        } catch (java.nio.charset.CharacterCodingException e) {
            throw Problem.malformed("/", "is not UTF-8");
        }
        return report.reply();
    }

    private static List<String> header(CsvReader.Row row) {
        List<String> header = new ArrayList<>(row.fields());
        header.set(0, header.getFirst().replace("\ufeff", ""));
        for (String column : header) {
            if (!COLUMNS.contains(column)) {
                throw Problem.malformed(
                        "line 1",
                        "column '" + Schema.shown(column) + "' is not known; known: serialNumber, device, model");
            }
        }
        if (!header.contains("serialNumber")
                || !header.contains("device")
                || new HashSet<>(header).size() != header.size()) {
            throw Problem.malformed("line 1", "columns serialNumber and device are needed, each once");
        }
        return header;
    }

    private static Product product(Call call, List<String> header, CsvReader.Row row) {
        if (row.fields().size() != header.size()) {
            throw new IllegalArgumentException(
                    "has " + row.fields().size() + " fields, the header has " + header.size());
        }
        String model = header.contains("model") ? field(row, header.indexOf("model")) : "";
        return new Product(
                row.line(),
                field(row, header.indexOf("serialNumber")),
                new DeviceRef(call.environment(), new DeviceId(field(row, header.indexOf("device")))),
                model.isEmpty() ? Optional.empty() : Optional.of(new ModelId(model)));
    }

    private static String field(CsvReader.Row row, int column) {
        return CsvReader.plain(row.fields().get(column).strip());
    }

    private void apply(Call call, Manufacturers.Anchor anchor, List<Product> batch, ImportReport report) {
        if (batch.isEmpty()) {
            return;
        }
        List<Manufacturers.SerialRegistered> outcomes = rooms.journal().commit(tx -> {
            List<Manufacturers.SerialRegistered> done = new ArrayList<>(batch.size());
            for (Product product : batch) {
                done.add(apply(tx, call, anchor, product));
            }
            return done;
        });
        for (int i = 0; i < batch.size(); i++) {
            Product product = batch.get(i);
            switch (outcomes.get(i)) {
                case REGISTERED -> report.accepted();
                case ALREADY_REGISTERED -> report.unchanged();
                case BELONGS_TO_ANOTHER_DEVICE ->
                    report.rejected(product.line(), "the serial number belongs to another device");
                case UNKNOWN_ANCHOR -> report.rejected(product.line(), "the manufacturer anchor was removed");
                case UNKNOWN_DEVICE ->
                    report.rejected(
                            product.line(),
                            product.model().isPresent()
                                    ? "there is no model " + product.model().get()
                                    : "there is no device " + product.device().id());
            }
        }
    }

    private Manufacturers.SerialRegistered apply(
            Transaction tx, Call call, Manufacturers.Anchor anchor, Product product) {
        Optional<DeviceRef> owner = rooms.identity().manufacturers().deviceOf(tx, anchor.id(), product.serial());
        if (owner.isPresent() && !owner.get().equals(product.device())) {
            return Manufacturers.SerialRegistered.BELONGS_TO_ANOTHER_DEVICE;
        }
        if (product.model().isPresent()) {
            rooms.inventory()
                    .register(
                            tx,
                            new Inventory.Registration(
                                    product.device(), product.model().get(), Labels.NONE),
                            call.actor());
        }
        return rooms.identity()
                .manufacturers()
                .registerSerial(tx, anchor.id(), product.serial(), product.device(), call.actor());
    }
}
