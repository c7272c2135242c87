package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderStoreTest {
    @TempDir
    private Path parent;

    private static String mode(Path path) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void aSecondServerOnTheSameFolderIsRefused() throws Exception {
        Path folder = parent.resolve("data");
        try (DataFolderStore first = DataFolderStore.open(folder)) {
            assertThatThrownBy(() -> DataFolderStore.open(folder))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("in use by another Holdfast server")
                    .hasMessageContaining(first.root().toString());
        }
        DataFolderStore.open(folder).close();
    }

    @Test
    void secretsAreReadableByTheirOwnerAlone() throws Exception {
        try (DataFolderStore folder = DataFolderStore.open(parent.resolve("data"))) {
            folder.writeSecret("key", new byte[] {1, 2, 3});
            folder.writeSecret("key", new byte[] {4});
            assertThat(folder.readSecret("key")).containsExactly(4);
            assertThat(mode(folder.resolve("secrets"))).isEqualTo("rwx------");
            assertThat(mode(folder.resolve("secrets/key"))).isEqualTo("rw-------");
            assertThat(mode(folder.privateFolder("spool"))).isEqualTo("rwx------");
            assertThat(folder.readSecret("none")).isNull();
        }
    }

    @Test
    void aHalfWrittenSecretOfAKilledServerIsReplaced() throws Exception {
        try (DataFolderStore folder = DataFolderStore.open(parent.resolve("data"))) {
            folder.writeSecret("key", new byte[] {1});
            Files.write(folder.resolve("secrets/key.new"), new byte[] {9, 9});
            folder.writeSecret("key", new byte[] {2});
            assertThat(folder.readSecret("key")).containsExactly(2);
            assertThat(folder.resolve("secrets/key.new")).doesNotExist();
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsAClearError() throws Exception {
        Path file = Files.createFile(parent.resolve("file"));
        assertThatThrownBy(() -> DataFolderStore.open(file.resolve("data")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("can't be used");
    }
}
