// Substring search on names and addresses. Row level security makes pattern indexes unusable, so people are found by equal trigrams and then
// compared.
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { userGrams, users } from '../tables/users.ts'

export type Searchable = {
  readonly id: string
  readonly email: string
  readonly name?: string | undefined
  readonly username?: string | null | undefined
}

const GRAM = 3
/** Only some trigrams of longer texts are used: the rarest of these is rare enough. */
const MOST_GRAMS = 8

/** Normalises stored and searched text: compatibility forms, no case. */
export const searchForm = (text: string): string => text.normalize('NFKC').toLowerCase().normalize('NFKC').replaceAll('\n', ' ')

/** E-mail, name and user name, one per line. */
export const searchTextOf = ({ email, name, username }: Omit<Searchable, 'id'>): string =>
  [email, name ?? '', username ?? ''].map(searchForm).join('\n')

/** All trigrams within a line. */
const gramsOf = (text: string): string[] => {
  const grams = text.split('\n').flatMap((line) => {
    const characters = [...line]
    return characters.slice(GRAM - 1).map((_, at) => characters.slice(at, at + GRAM).join(''))
  })
  return [...new Set(grams)]
}

/** Stores the trigrams of people without any. */
export const indexPeople = async (t: TenantTx, people: readonly Searchable[]): Promise<void> => {
  const grams = people.map((person) => ({ id: person.id, grams: gramsOf(searchTextOf(person)) }))
  await t.run({
    text: `insert into authsec.user_grams (tenant_id, gram, user_id)
      select $1::uuid, g.gram, p.id from jsonb_to_recordset($2::text::jsonb) as p(id uuid, grams jsonb), jsonb_array_elements_text(p.grams) as g(gram)
      on conflict do nothing`,
    params: [t.tenantId, JSON.stringify(grams)],
    arrays: true,
  })
}

/** Deletes the person's trigrams. */
export const deleteGrams = async (t: TenantTx, userId: string): Promise<void> => {
  await t.db.delete(userGrams).where(and(ownRows(t, userGrams), eq(userGrams.userId, userId)))
}

/** Reads the person's row again and stores its search data. */
export const indexPerson = async (t: TenantTx, userId: string): Promise<void> => {
  const own = and(ownRows(t, users), eq(users.id, userId))
  const [row] = await t.db.select({ id: users.id, email: users.email, name: users.name, username: users.username }).from(users).where(own)
  if (row === undefined) return
  await t.db
    .update(users)
    .set({ searchText: searchTextOf(row) })
    .where(own)
  await deleteGrams(t, userId)
  await indexPeople(t, [row])
}

const LINE = {
  any: sql`${users.searchText}`,
  email: sql`split_part(${users.searchText}, E'\\n', 1)`,
  name: sql`split_part(${users.searchText}, E'\\n', 2)`,
}

/** Trigrams of a search text, spread over its length; none for a text shorter than three characters. */
const askedGrams = (requested: string): string[] => {
  const all = gramsOf(requested)
  const step = Math.max(1, Math.ceil(all.length / MOST_GRAMS))
  return all.filter((_, at) => at % step === 0 || at === all.length - 1)
}

/** The most people to compare one by one. A text with only more frequent trigrams is compared in list order, where matches come soon. */
const RARE = 2000

const COUNTS = `
select a.gram, (select count(*)::int from (select from authsec.user_grams g where g.tenant_id = $1 and g.gram = a.gram limit ${RARE + 1}) few) as people
from unnest($2::text[]) as a(gram) order by people limit 1`

/** The rarest trigram of a text; undefined when none is rare enough to help. */
export const rarestGram = async (t: TenantDb, text: string): Promise<string | undefined> => {
  const grams = askedGrams(searchForm(text))
  if (grams.length === 0) return undefined
  const [row] = (await t.run({ text: COUNTS, params: [t.tenantId, grams], arrays: true })) as [string, number][]
  return row !== undefined && row[1] <= RARE ? row[0] : undefined
}

/** People with the trigram. Read once as a list of ids: the planner cannot know how few they are, and would scan the whole table. */
export const hasGram = (t: TenantDb, gram: string): SQL =>
  sql`${users.id} = any (array(select g.user_id from ${userGrams} g where g.tenant_id = ${t.tenantId}::uuid and g.gram = ${gram}::text))`

/** Whether the search line contains a text, ignoring case. */
export const matchesSearchText = (line: keyof typeof LINE, text: string): SQL => sql`strpos(${LINE[line]}, ${searchForm(text)}::text) > 0`
