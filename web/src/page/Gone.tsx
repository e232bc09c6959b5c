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
  /** What the document was called, if the link said so. */
  name: string | null;
}

/** In place of a document that is not there any more: nothing of it, and the version that replaced it. */
export function Gone({ kb, error, name }: GoneProps) {
  const t = useTexts();
  const isGone = error instanceof Problem && error.isGone;
  const { data } = useQuery({
    queryKey: ["successor", kb, name],
    queryFn: ({ signal }) =>
      call("list_documents", { path: { kb }, query: { name: literal(name ?? ""), limit: 1 }, signal }),
    enabled: isGone && name !== null,
  });
  if (!isGone) return <ProblemNotice error={error} />;
  const successor = data?.documents[0];
  return (
    <Empty
      icon={FileX}
      title={successor === undefined ? t.page.gone : t.page.replaced(successor.version)}
      actions={
        successor === undefined ? null : (
          <Link href={places.document(kb, successor.id)}>
            {t.page.openVersion(successor.name, successor.version)}
          </Link>
        )
      }
    >
      {successor === undefined ? t.page.goneDetail : t.page.replacedDetail}
    </Empty>
  );
}

/** A glob pattern that means these characters and no others. */
function literal(name: string): string {
  return name.replaceAll(/[*?[]/g, "[$&]");
}
