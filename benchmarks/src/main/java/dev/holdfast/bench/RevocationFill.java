package dev.holdfast.bench;

import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Revoked certificates by the hundred thousand, straight into the table: nobody waits for a million
/// signatures.
final class RevocationFill {
    private static final String ROWS =
            "insert into certificate(serial, authority, profile, usages, environment, device,"
                    + " name, alternative_names, public_key, key_fingerprint, state, not_before, not_after, intended_at,"
                    + " granted_by, issued_at, activated_at, ended_at, revocation_reason, crl_part)"
                    + " select '1' || substr(md5('revoked' || i), 2), 'device-development-1', 'device', 'tls-client',"
                    + " 'development', 'revoked-' || i, 'revoked-' || i, 'URI:urn:holdfast:development:device:revoked-' || i,"
                    + " ''::bytea, md5('a' || i) || md5('b' || i), 'revoked', now() - interval '10 days',"
                    + " now() + interval '80 days', now() - interval '10 days', 'token', now() - interval '10 days',"
                    + " now() - interval '9 days', now() - interval '2 days', 'key-compromise', 1000000 + i / 1024"
                    + " from generate_series(?, ?) as i";

    private RevocationFill() {}

    static Database open(Path data) throws IOException {
        Path binaries = data.resolve("postgres-programs");
        return Database.open(
                EmbeddedPostgresStore.running(
                                data.resolve("postgres"),
                                binaries,
                                Files.readString(data.resolve("secrets/postgres-password")))
                        .orElseThrow(() -> new IOException("the database does not run")),
                2);
    }

    /// While the server runs, whose memory learns of them when it starts again.
    static void fill(Path data, int from, int to) throws IOException {
        try (Database database = open(data)) {
            for (int begin = from; begin < to; begin += 100_000) {
                int first = begin;
                int last = Math.min(to, begin + 100_000) - 1;
                database.run(sql -> sql.execute(ROWS, first, last));
            }
            // What the database would otherwise do in the minutes that are measured.
            database.<Integer>read(sql -> sql.execute("vacuum analyze certificate"));
            database.<Integer>read(sql -> sql.execute("checkpoint"));
        }
    }
}
