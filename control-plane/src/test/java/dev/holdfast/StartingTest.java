package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Configuration;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a person who starts the server sees until it is ready.
class StartingTest {
    @Test
    void aStartSaysWhatItIsDoingAndNoPassword(@TempDir Path folder) throws Exception {
        Database.Address address = TestDatabase.freshAddress();
        try (Database database = Database.open(address, 2)) {
            // As a database of an older version: one migration of the last is not applied yet.
            database.run(sql -> {
                sql.execute("delete from flyway_schema_history where version = '051'");
                sql.execute("drop table failed_attempt, device_host, failed_attempt_turn");
            });
        }
        Path password = Files.writeString(folder.resolve("password"), address.password());
        Map<String, String> variables = new TreeMap<>(Map.of(
                "HOLDFAST_DATABASE_URL", address.url() + "&ApplicationName=secret",
                "HOLDFAST_DATABASE_USER", address.user(),
                "HOLDFAST_DATABASE_PASSWORD_FILE", password.toString()));
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        List<String> told = new ArrayList<>();
        Server.start(
                        Configuration.load(Optional.empty(), variables),
                        folder.resolve("data"),
                        InstantSource.system(),
                        new SecureRandom(),
                        told::add)
                .close();
        assertThat(told)
                .containsExactly(
                        "connecting to the database at " + address.url().replaceFirst("[?].*", ""),
                        "bringing the database to this version: 1 migration",
                        "opening the authorities' keys and the fleet's records",
                        "opening the listeners");
    }
}
