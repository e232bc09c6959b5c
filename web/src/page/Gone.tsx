import { useQuery } from "@tanstack/react-query";
import { FileX } from "lucide-react";
import { Link } from "wouter";

import { call } from "@/api/client";
import { Problem } from "@/api/problem";
import { Empty } from "@/design/Empty";
import { ProblemNotice } from "@/design/Notice";
import { places } from "@/shell/places";
import { useTexts } from "@/texts";

interface GoneProps {
  kb: string;
  error: unknown;
  /** What the document was called and where it lay, if the link said so. */
  name: string | null;
  source: string | null;
}

/** As many documents of one name in several folders are looked through. */
const MOST_NAMESAKES = 100;

/** In place of a document that is not there any more: nothing of it, and the version that replaced it. */
export function Gone({ kb, error, name, source }: GoneProps) {
  const t = useTexts();
  const isGone = error instanceof Problem && error.isGone;
  const { data } = useQuery({
    queryKey: ["successor", kb, name],
    queryFn: ({ signal }) =>
      call("list_documents", {
        path: { kb },
        query: { name: literal(name ?? ""), status: "ready", limit: MOST_NAMESAKES },
        signal,
      }),
    enabled: isGone && name !== null,
  });
  if (!isGone) return <ProblemNotice error={error} />;
  const successor = data?.documents.find((each) => (each.source ?? "") === (source ?? ""));
  const isReplaced = successor !== undefined && successor.version > 1;
  return (
    <Empty
      icon={FileX}
      title={isReplaced ? t.page.replaced(successor.version) : t.page.gone}
      actions={
        successor === undefined ? (
          <Link href={places.documents(kb)}>{t.page.toDocuments}</Link>
        ) : (
          <Link href={places.document(kb, successor.id)}>
            {t.page.openVersion(successor.name, successor.version)}
          </Link>
        )
      }
    >
      {isReplaced ? t.page.replacedDetail : t.page.goneDetail}
    </Empty>
  );
}

/** A glob pattern that means these characters and no others. */
function literal(name: string): string {
  return name.replaceAll(/[*?[]/g, "[$&]");
}
