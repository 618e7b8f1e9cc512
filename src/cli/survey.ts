/** What the environment says, as far as it is right: null stands for what is missing or wrong, and `mistakes` names each of those. */
export interface Survey {
  mistakes: string[];
  app: { id: number | null; privateKey: string | null; webhookSecret: string | null; apiUrl: string | null };
  model: { apiKey: string | null; baseURL: string | null };
  /** `own`: none is named, so Pitwall starts one; `url` is null then, and where it is wrong. */
  redis: { own: boolean; url: string | null; prefix: string | null };
  dataDir: string;
  /** Null: `settings.json` in the data folder. */
  settingsFile: string | null;
  /** The `PITWALL_*` variables that may set single settings. */
  overrides: Record<string, string>;
  searchPath: string;
  proxy: string | null;
}
