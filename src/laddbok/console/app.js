// The console's frame: who is logged in, where one can go, and the page that the address names.
import { html, render, useEffect, useErrorBoundary } from "./vendor/preact.js";
import { findMe, me } from "./api.js";
import { failure } from "./commands.js";
import { t } from "./i18n.js";
import { connect, disconnect } from "./live.js";
import { ApartmentsPage } from "./pages/apartments.js";
import { BillingPage } from "./pages/billing.js";
import { ContractPage } from "./pages/contract.js";
import { ContractsPage } from "./pages/contracts.js";
import { CustomerPage } from "./pages/customer.js";
import { CustomersPage } from "./pages/customers.js";
import { DeliveriesPage } from "./pages/deliveries.js";
import { HostPage } from "./pages/host.js";
import { HostsPage } from "./pages/hosts.js";
import { InvoicePage } from "./pages/invoice.js";
import { InvoicesPage } from "./pages/invoices.js";
import { LedgerPage } from "./pages/ledger.js";
import { LobbyPage } from "./pages/lobby.js";
import { LoginPage, PasswordPage } from "./pages/login.js";
import { NewStatementPage } from "./pages/new-statement.js";
import { OrphansPage } from "./pages/orphans.js";
import { OverviewPage } from "./pages/overview.js";
import { PaymentsPage } from "./pages/payments.js";
import { ReviewPage } from "./pages/review.js";
import { SellerPage } from "./pages/seller.js";
import { SessionPage } from "./pages/session.js";
import { SessionsPage } from "./pages/sessions.js";
import { StatementPage } from "./pages/statement.js";
import { StatementsPage } from "./pages/statements.js";
import { StationPage } from "./pages/station.js";
import { StationsPage } from "./pages/stations.js";
import { TariffEditorPage } from "./pages/tariff-editor.js";
import { TariffsPage } from "./pages/tariffs.js";
import { Shell } from "./parts/shell.js";
import { route, startRouter } from "./router.js";

const PAGES = {
  overview: OverviewPage,
  stations: StationsPage,
  station: StationPage,
  lobby: LobbyPage,
  sessions: SessionsPage,
  session: SessionPage,
  review: ReviewPage,
  orphans: OrphansPage,
  tariffs: TariffsPage,
  "tariff-editor": TariffEditorPage,
  billing: BillingPage,
  invoices: InvoicesPage,
  invoice: InvoicePage,
  payments: PaymentsPage,
  deliveries: DeliveriesPage,
  ledger: LedgerPage,
  customers: CustomersPage,
  customer: CustomerPage,
  contracts: ContractsPage,
  contract: ContractPage,
  hosts: HostsPage,
  host: HostPage,
  seller: SellerPage,
  statements: StatementsPage,
  statement: StatementPage,
  "new-statement": NewStatementPage,
  apartments: ApartmentsPage,
  password: PasswordPage,
};

function MissingPage() {
  return html`
    <div class="page">
      <h1>${t("missing.title")}</h1>
      <p><a href="/">${t("missing.home")}</a></p>
    </div>
  `;
}

function Inside() {
  const { page, id } = route.value;
  const sessionId = page === "session" ? id : null;
  useEffect(() => connect(sessionId), [sessionId]);
  useEffect(() => disconnect, []);
  const Page = PAGES[page] ?? MissingPage;
  return html`
    <${Shell}><${Page} key=${`${page} ${id ?? ""}`} /><//>
  `;
}

function App() {
  const [broken] = useErrorBoundary((reason) => console.error(reason));
  if (broken)
    return html`
      <p class="pending" role="alert">
        ${t("problem.page")}
        <button onClick=${() => location.reload()}>${t("again")}</button>
      </p>
    `;
  if (me.value === undefined)
    return html`
      <p class="pending" aria-busy="true">${t("loading")}</p>
    `;
  if (me.value === null)
    return html`
      <${LoginPage} />
    `;
  if (me.value.must_change_password)
    return html`
      <${PasswordPage} first=${true} />
    `;
  return html`
    <${Inside} />
  `;
}

startRouter();
const root = document.getElementById("app");
try {
  await findMe();
  me.value ??= null;
  render(
    html`
      <${App} />
    `,
    root,
  );
} catch (problem) {
  root.textContent = failure(problem).text;
}
