package sample.city.south;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

public final class CisternStore {
    private CisternStore() {}

    public static void fill(Path where) throws IOException {
        Files.writeString(where, "water");
    }
}
