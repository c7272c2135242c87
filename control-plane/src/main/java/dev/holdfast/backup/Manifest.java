package dev.holdfast.backup;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// What a backup says of itself.
///
/// @param format 1
/// @param schemaVersion the migration the tables were at
/// @param journalNumber the last journal entry it holds
/// @param tables in the order in which they can be filled
/// @param sequences each with its last value
/// @param server where the backup was made, for people
record Manifest(
        int format,
        Instant createdAt,
        String schemaVersion,
        long journalNumber,
        Digest journalHash,
        List<Table> tables,
        Map<String, Long> sequences,
        String server) {
    static final int FORMAT = 1;

    /// @param columns those that are stored, not computed
    record Table(String name, List<String> columns) {
        Table {
            if (!name.matches("[a-z_][a-z0-9_]{0,62}")
                    || !columns.stream().allMatch(column -> column.matches("[a-z_][a-z0-9_]{0,62}"))) {
                throw new IllegalArgumentException("not the name of a table or column of ours");
            }
            columns = List.copyOf(columns);
        }

        String columnList() {
            return String.join(", ", columns.stream().map(c -> '"' + c + '"').toList());
        }
    }

    Manifest {
        tables = List.copyOf(tables);
        sequences = Map.copyOf(sequences);
    }

    static Manifest read(String json) throws IOException {
        try {
            Manifest manifest = Json.read(json, Manifest.class);
            if (manifest.format() != FORMAT) {
                throw new IOException(
                        "the backup is of format " + manifest.format() + "; this Holdfast reads format " + FORMAT);
            }
            return manifest;
        } catch (JsonProcessingException e) {
            throw new IOException("the backup's manifest can't be read: " + e.getOriginalMessage(), e);
        }
    }
}
