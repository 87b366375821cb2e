// The candles page: two ways in, what is being brought in, what is there. Rendered by
// web/routes/candles.tsx.
import { Done } from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";
import { DownloadCard, type DownloadFormProps } from "./candle-download-form.tsx";
import { ImportCard } from "./candle-import-form.tsx";
import { type JobRow, JobsCard } from "./candle-jobs.tsx";
import { SeriesList, type SeriesListProps } from "./candle-list.tsx";

/** Props of the page. */
export type CandlesProps = {
  readonly frame: Frame;
  readonly series: SeriesListProps;
  readonly jobs: readonly JobRow[];
  readonly isLive: boolean;
  readonly form: DownloadFormProps;
  /** Which card stands open. */
  readonly open: { readonly import: boolean; readonly download: boolean };
  readonly file: { readonly bytesMax: number; readonly sizeMax: string };
  readonly done?: string | undefined;
};

/** The page at `/candles`. */
export function CandlesPage(props: CandlesProps) {
  const { frame, series, jobs, isLive, form, open, file } = props;
  return (
    <Layout title="Candles · Dragon" frame={frame} parts={["candles"]} isWide>
      <div class="title-row">
        <h1>Candles</h1>
        <a href="/help/candles">How candles are kept</a>
      </div>
      {props.done ? <Done>{props.done}</Done> : null}
      {series.canChange ? (
        <div class="columns">
          <DownloadCard {...form} isOpen={open.download} />
          <ImportCard
            csrf={form.csrf}
            isOpen={open.import}
            exchanges={form.exchanges}
            fileBytesMax={file.bytesMax}
            fileSizeMax={file.sizeMax}
          />
        </div>
      ) : null}
      <JobsCard rows={jobs} csrf={form.csrf} isLive={isLive} />
      <SeriesList {...series} />
    </Layout>
  );
}
