package dev.holdfast.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A re-key of a million devices: how long it takes to plan (the renewal of each certificate moved forward,
/// spread at the rate), and how many devices a second are then told, durable and journalled. The devices are
/// rows: what a renewal itself costs is the row of enrolment.
final class RekeyRows {
    private static final String ID = "re-key";
    private static final String DEVICES = "insert into device(environment, id, model, labels, state, state_since,"
            + " state_reason, registered_at) select 'development', 'rekey-' || i, 'bench', '{}'::jsonb, 'active', now(),"
            + " 'bench', now() from generate_series(?, ?) as i";
    private static final String CERTIFICATES =
            "insert into certificate(serial, authority, profile, usages, environment,"
                    + " device, name, alternative_names, public_key, key_fingerprint, state, not_before, not_after, intended_at,"
                    + " granted_by, issued_at, activated_at, renew_at)"
                    + " select '2' || substr(md5('rekey' || i), 2), 'device-development-1', 'device', 'tls-client',"
                    + " 'development', 'rekey-' || i, 'rekey-' || i, 'URI:urn:holdfast:device:development:rekey-' || i,"
                    + " ''::bytea, md5('k' || i) || md5('e' || i), 'current', now() - interval '10 days',"
                    + " now() + interval '80 days', now() - interval '10 days', 'token', now() - interval '10 days',"
                    + " now() - interval '9 days', now() + interval '40 days' from generate_series(?, ?) as i";

    private RekeyRows() {}

    static List<Row> measure(Bench bench) throws IOException {
        int devices = bench.size(1_000_000, 2_000);
        Fleet fleet = BenchMain.prepare(bench, "rekey", new FleetMain.Sizes(bench.size(100, 10), 0, 0, 0));
        try (ServerProcess server = ServerProcess.start(bench.home(), fleet.data())) {
            bench.say("filling in " + devices + " devices with a certificate each; the server started after "
                    + server.startTime().toMillis() + " ms");
            fill(fleet.data(), devices);
        }
        // The rate is set higher than can be told, so that what is told is what can be.
        try (ServerProcess server = ServerProcess.start(
                        bench.home(), fleet.data(), Map.of("HOLDFAST_CERTIFICATES_RENEWALS_PER_HOUR", "3600000"));
                ApiCaller api = new ApiCaller(fleet.data());
                Database database = RevocationFill.open(fleet.data())) {
            Duration before = cpu(server);
            long begun = System.nanoTime();
            JsonNode campaign = Json.tree(
                    api.post(server, "/renewal-campaigns", "{\"all\":true,\"perHour\":3600000,\"reason\":\"bench\"}"));
            double answered = (System.nanoTime() - begun) / 1e9;
            while (!campaign.has("plannedAt")) {
                Load.pause(200);
                campaign = Json.tree(api.get(
                        server, "/renewal-campaigns/" + campaign.path("id").asText()));
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            long total = campaign.path("total").asLong();
            double cpuEach = Bench.micros(cpu(server).minus(before), (int) total);
            bench.say("planned " + total + " renewals in " + Spread.figure(seconds) + " s; the last device is told by "
                    + campaign.path("toldBy").asText());
            Told told = told(bench, server, database);
            return List.of(
                    row("decided, journalled and answered", "s", answered),
                    row("planned: " + total + " certificates, piece by piece", "s", seconds),
                    row("planned, for each certificate", "us CPU", cpuEach),
                    row("told: desired state, durable, journalled", "per s", told.rate()),
                    row("told, for each device", "us CPU", told.cpuEach()));
        } catch (JsonProcessingException e) {
            throw new IOException(e);
        }
    }

    private record Told(double rate, double cpuEach) {}

    /// Over a while in which nothing else happens.
    private static Told told(Bench bench, ServerProcess server, Database database) throws IOException {
        long from = told(database);
        Duration before = cpu(server);
        long begun = System.nanoTime();
        Load.pause(bench.size(60_000, 6_000));
        long count = Math.max(1, told(database) - from);
        double seconds = (System.nanoTime() - begun) / 1e9;
        return new Told(count / seconds, Bench.micros(cpu(server).minus(before), (int) count));
    }

    private static long told(Database database) {
        return database.<Long>read(sql -> sql.fetchOne("select count(*) from certificate where told_at is not null")
                .get(0, Long.class));
    }

    private static Duration cpu(ServerProcess server) {
        return CpuMeter.family(server.handle()).minus(CpuMeter.compiler(server.handle()));
    }

    private static void fill(Path data, int devices) throws IOException {
        try (Database database = RevocationFill.open(data)) {
            for (int begin = 0; begin < devices; begin += 100_000) {
                int first = begin;
                int last = Math.min(devices, begin + 100_000) - 1;
                database.run(sql -> {
                    sql.execute(DEVICES, first, last);
                    sql.execute(CERTIFICATES, first, last);
                });
            }
            database.<Integer>read(sql -> sql.execute("vacuum analyze"));
        }
    }

    private static Row row(String what, String unit, double value) {
        return new Row(
                ID,
                "re-key of a fleet, " + what,
                unit,
                Spread.once(value),
                "",
                Spread.NONE,
                Optional.empty(),
                true,
                Map.of());
    }
}
